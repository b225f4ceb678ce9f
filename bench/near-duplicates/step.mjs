import { lastLines } from '../../scripts/program.mjs';

/**
 * Runs a program that ends with a line of JSON.
 * @param {() => Promise<{code: number | null, output: string}>} start
 * @returns {Promise<any>}
 */
export async function runStep(start) {
  const { code, output } = await start();
  if (code !== 0) throw new Error(`the step ended with ${code}:\n${lastLines(output, 12)}`);
  return JSON.parse(lastLines(output, 1));
}
