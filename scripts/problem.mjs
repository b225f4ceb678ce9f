/** Something that the reader can mend: shown as its message alone, without a stack. */
export class Problem extends Error {
  /** @override */
  name = 'Problem';
}

/**
 * Runs a command's main function; a problem is shown and ends the process with status 1.
 * @param {() => Promise<void>} main
 */
export async function orShowProblem(main) {
  try {
    await main();
  } catch (error) {
    console.error(isProblem(error) ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * @param {unknown} error
 * @returns {error is Error}
 */
export const isProblem = (error) =>
  error instanceof Error && (error instanceof Problem || error.name === 'PostgresInstallError');
