#!/usr/bin/env node
// Writes what is derived from something else: run `npm run generate`; the check fails where a file has drifted.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApi } from './openapi.mjs';
import { prepare } from './prepare.mjs';
import { orShowProblem, Problem } from './problem.mjs';
import { root } from './root.mjs';
import { settingsPage } from './settings-page.mjs';

const contract = join(root, 'trainer', 'src', 'clara_trainer', 'contract');

/**
 * @param {string} schemaFile
 * @param {string} name
 * @returns {Promise<string>}
 */
async function types(schemaFile, name) {
  const { compile } = await import('json-schema-to-typescript');
  const schema = JSON.parse(await readFile(join(contract, schemaFile), 'utf8'));
  const options = { bannerComment: '', additionalProperties: false, ignoreMinAndMaxItems: true };
  return compile({ ...schema, title: name }, name, options);
}

/**
 * @param {string} text
 * @param {'typescript' | 'markdown'} parser
 */
async function formatted(text, parser) {
  const { default: prettier } = await import('prettier');
  const options = await prettier.resolveConfig(join(root, 'src', 'main.ts'));
  return prettier.format(text, { ...options, parser });
}

async function runContract() {
  const banner = '// Generated from trainer/src/clara_trainer/contract by `npm run generate`; do not edit.\n';
  return banner + (await types('run.schema.json', 'RunFile')) + (await types('event.schema.json', 'WorkerEvent'));
}

/** @returns {Promise<Record<string, string>>} */
async function generated() {
  return {
    'src/modules/training/run-contract.generated.ts': await formatted(await runContract(), 'typescript'),
    'docs/SETTINGS.md': await formatted(await settingsPage(), 'markdown'),
    'openapi.json': `${JSON.stringify(await openApi(), null, 2)}\n`,
  };
}

/**
 * Writes the files that differ, or only names them.
 * @param {{check: boolean}} options
 * @throws Problem where `check` finds a file that has drifted
 */
async function generate({ check }) {
  await prepare({ postgres: false });
  const drifted = [];
  for (const [path, text] of Object.entries(await generated())) {
    const present = await readFile(join(root, path), 'utf8').catch(() => '');
    if (present === text) continue;
    drifted.push(path);
    if (check) continue;
    await writeFile(join(root, path), text);
    console.log(`wrote ${path}`);
  }
  if (check && drifted.length > 0)
    throw new Problem(`${drifted.join(', ')}: not what the source says. Run npm run generate and commit it.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await orShowProblem(() => generate({ check: process.argv.includes('--check') }));
