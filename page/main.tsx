/** The entry of the page: starts the feed and draws. */
import { render } from 'preact';
import { App } from './app.tsx';
import { start } from './state.ts';

render(<App />, document.getElementById('page')!);
start();
