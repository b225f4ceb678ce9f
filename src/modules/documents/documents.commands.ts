import type { Command } from 'commander';
import type { Drift, Reconciliation } from './reconciliation.js';

/** Opens the stores of the settings for a command, and closes them after. */
export type OpenStores = (work: (reconciliation: Reconciliation) => Promise<void>) => Promise<void>;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npx clara documents …`, whether the application runs or not; what is mended is carried out by the application. */
export function addDocumentCommands(program: Command, run: OpenStores): void {
  program
    .command('documents')
    .description('Documents and their stores')
    .command('reconcile')
    .description(
      'Compare every store with the documents, and ask it again for what differs; exit status 1 where a store did not answer',
    )
    .option('--look', 'only compare')
    .option('--json')
    .action(({ look, json }: { look?: true; json?: true }) =>
      run(async (reconciliation) => report(await reconciliation.run(look ? 'look' : 'mend'), json ?? false)),
    );
}

function report(drifts: Drift[], json: boolean): void {
  if (json) print(JSON.stringify(drifts));
  else for (const drift of drifts) print(lineOf(drift));
  if (drifts.some(({ error }) => error !== null)) process.exitCode = 1;
}

function lineOf({ store, compared, missing, differing, orphaned, error }: Drift): string {
  if (error !== null) return `${store}: not compared: ${error}`;
  return `${store}: ${compared} documents compared, ${missing.length} missing, ${differing.length} of another version, ${orphaned.length} too many`;
}
