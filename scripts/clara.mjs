#!/usr/bin/env node
// `npx clara <group> <command>`: what an administrator does from a shell. Makes what is missing first.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtModule } from './built-module.mjs';
import { orShowProblem, Problem } from './problem.mjs';
import { root } from './root.mjs';

async function main() {
  // An image holds what was built and nothing to build. What is prepared is said on stderr: stdout belongs to the command.
  if (existsSync(join(root, 'src'))) {
    const { prepare } = await import('./prepare.mjs');
    await prepare({ say: console.error });
  }
  const { commandLine } = await builtModule('src/cli.js');
  await commandLine(process.env, root).parseAsync(process.argv).catch(explain);
}

/**
 * What a command throws is meant for its reader; only what is a mistake of ours keeps its stack.
 * @param {unknown} error
 * @returns {never}
 */
function explain(error) {
  const isOurs = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  throw error instanceof Error && !isOurs ? new Problem(error.message) : error;
}

if (process.argv[1] === fileURLToPath(import.meta.url) || process.argv[1]?.endsWith('clara')) await orShowProblem(main);
