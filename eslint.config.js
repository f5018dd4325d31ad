/**
 * The linter looks for mistakes that the compiler lets through, above all promises that nobody awaits. Layout is left
 * to prettier; test/tidy.test.ts enforces layers and sizes.
 */
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'tools/**',
      'dashboard/**',
      'src/gen/**',
      'coverage/**',
      '.causeway/**',
      '.chaos/**',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-constant-binary-expression': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ForInStatement', message: 'Use for-of over Object.keys or Object.entries.' },
      ],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // noUncheckedIndexedAccess makes `!` the way to say that an element is known to exist.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Ports require promises and callbacks that an implementation may answer at once.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.base],
    rules: { eqeqeq: 'error', 'no-undef': 'off' },
  },
);
