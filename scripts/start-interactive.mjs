#!/usr/bin/env node
// `npm run start:interactive`: asks for the security mode, then starts as `npm start` does.
import { createInterface } from 'node:readline';
import { orShowProblem, Problem } from './problem.mjs';
import { start } from './start.mjs';

const MODES = [
  { mode: 'debug', text: 'DEBUG mode (no security, mock user) - for local development' },
  { mode: 'development', text: 'DEVELOPMENT mode (JWT only, no mTLS) - for development with Keycloak' },
  { mode: 'production', text: 'PRODUCTION mode (JWT + mTLS) - for production deployment' },
];

/** @type {Record<string, NodeJS.ProcessEnv>} */
const SETTINGS = {
  debug: { CLARA_JWT_ENABLED: 'false', CLARA_MTLS_ENABLED: 'false' },
  development: { CLARA_JWT_ENABLED: 'true', CLARA_MTLS_ENABLED: 'false' },
  production: { CLARA_JWT_ENABLED: 'true', CLARA_MTLS_ENABLED: 'true' },
};

const TRIES = 3;

/** @returns {Promise<string>} */
async function askMode() {
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY });
  const ask = () => process.stdout.write('\nSecurity mode (1-3): ');
  console.log('Choose the security mode:\n');
  MODES.forEach(({ text }, index) => console.log(`  ${index + 1}) ${text}`));
  ask();
  let tries = 0;
  // Ends with Ctrl-C and with a piped input.
  for await (const answer of lines) {
    const mode = modeOf(answer);
    if (mode) return mode;
    console.log(`"${answer}" is none of 1, 2, 3.`);
    if (++tries === TRIES) break;
    ask();
  }
  throw new Problem(
    'No security mode was chosen, so nothing was started. Without a terminal: CLARA_SECURITY_MODE=debug npm start',
  );
}

/** @param {string} answer */
function modeOf(answer) {
  const wish = answer.trim().toLowerCase();
  return (MODES[Number(wish) - 1] ?? MODES.find(({ mode }) => mode === wish))?.mode;
}

await orShowProblem(async () => {
  const mode = await askMode();
  await start({ ...process.env, ...SETTINGS[mode], CLARA_SECURITY_MODE: mode });
});
