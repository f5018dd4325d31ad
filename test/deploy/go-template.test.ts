/** The small renderer of Go templates: what it supports behaves as in Go, and everything else is refused. */
import { expect, test } from 'vitest';
import { Templates } from './go-template.ts';

function rendered(text: string, values: object = {}): string {
  return new Templates({ 'a.yaml': text }).render('a.yaml', { Values: values });
}

// The output of Go's text/template and Helm's functions for each.
test.each([
  ['a {{ .Values.x }} b', { x: 'y' }, 'a y b'],
  ['a\n  {{- if .Values.x }}\n  b\n  {{- end }}\nc', { x: true }, 'a\n  b\nc'],
  ['a\n  {{- if .Values.x }}\n  b\n  {{- end }}\nc', { x: '' }, 'a\nc'],
  ['{{ if .Values.x }}1{{ else if .Values.y }}2{{ else }}3{{ end }}', { x: 0, y: [] }, '3'],
  ['{{ if .Values.x }}1{{ else if .Values.y }}2{{ else }}3{{ end }}', { x: {}, y: [0] }, '2'],
  ['{{ range .Values.x }}<{{ . }}>{{ end }}', { x: ['a', 'b'] }, '<a><b>'],
  [
    '{{ range $k, $v := .Values.x }}{{ $k }}={{ $v }};{{ end }}',
    { x: { b: 'two', a: 'one' } },
    'a=one;b=two;',
  ],
  ['{{ range $i := until (int .Values.n) }}{{ if $i }},{{ end }}{{ $i }}{{ end }}', { n: 3 }, '0,1,2'],
  ['{{ with .Values.x }}[{{ . }}]{{ else }}none{{ end }}', { x: 'y' }, '[y]'],
  [
    '{{ $a := .Values.x }}{{ with .Values.y }}{{ $a }}{{ . }}{{ $.Values.x }}{{ end }}',
    { x: '1', y: '2' },
    '121',
  ],
  ['{{ .Values.x | default "z" | quote }}', { x: '' }, '"z"'],
  ['a:{{ toYaml .Values.x | nindent 2 }}', { x: { b: '1', c: 2 } }, 'a:\n  b: "1"\n  c: 2'],
  ['{{- /* nothing */ -}} a', {}, 'a'],
  ['{{ .Values.x | replace "b" (print .Values.y "$&") }}', { x: 'abb', y: 'c' }, 'ac$&c$&'],
  ['{{ .Values.x "y" }}', { x: (given: string) => `<${given}>` }, '<y>'],
  ['{{ define "n" -}} [{{ .Values.x }}] {{- end }}{{ include "n" . }}', { x: 'y' }, '[y]'],
])('%j with %j is %j', (text, values, expected) => {
  expect(rendered(text, values)).toBe(expected);
});

test.each([
  ['{{ .Values.missing }}', 'there is no .missing'],
  ['{{ lookup "v1" "Secret" }}', 'lookup is not of the subset'],
  ['{{ .Values.x | upper }}', 'upper is not of the subset'],
  ['{{ .Values.large }}', 'not to be printed'],
  ['{{ .Values.list }}', 'not to be printed'],
  ['{{ include "nothing" . }}', 'nothing is defined'],
  ['{{ if .Values.x }}', 'an end is missing'],
  ['{{ end }}', 'without a beginning'],
  ['{{ $y }}', '$y is not set'],
  ['{{ .Values.x', 'not understood'],
  ['{{ .Values.x "y" }}', 'takes no arguments'],
  ['{{ printf "%s" .Values.x }}', 'printf is not of the subset'],
])('%s: refused', (text, reason) => {
  expect(() => rendered(text, { x: 'y', large: 5_000_000, list: [1] })).toThrow(reason);
});
