import { readFile } from 'node:fs/promises';
import { dirname, basename } from 'node:path';
import { Argument, type Command } from 'commander';
import { nameOptions, printRows, whole, type NameOptions, type Print } from './command-output.js';
import { writeFresh } from './key-files.js';
import type { PkiAtHand } from './pki-at-hand.js';
import { operator } from '../security/principal.port.js';

type At = <T>(work: (pki: PkiAtHand) => Promise<T>) => Promise<T>;

export function addTokenCommands(pki: Command, at: At): void {
  const tokens = pki.command('enrol-token').description('Tokens that services get their first certificate with');
  addCreate(tokens, at);
  tokens
    .command('list')
    .description('All tokens, without what is secret of them')
    .option('--json')
    .action(({ json }: Print) =>
      at(async ({ enrolment }) =>
        printRows(await enrolment.list(), json, [
          'token_id',
          'service_id',
          'uses',
          'max_uses',
          'expires_at',
          'revoked_at',
        ]),
      ),
    );
  tokens
    .command('revoke <token-id>')
    .description('Revoke a token')
    .option('--json')
    .action((id: string, { json }: Print) =>
      at(async ({ enrolment }) =>
        printRows([await enrolment.revoke(id, operator())], json, ['token_id', 'service_id', 'revoked_at']),
      ),
    );
}

function addCreate(tokens: Command, at: At): void {
  nameOptions(tokens.command('create <service-id>'))
    .description('Make a token; it is shown this once')
    .option('--uses <uses>', 'certificates it is good for', whole(1, 100), 1)
    .option('--hours <hours>', 'how long it counts', whole(1, 720), 24)
    .option('--json')
    .action(
      (serviceId: string, { cn, dns, ip, uses, hours, json }: NameOptions & Print & { uses: number; hours: number }) =>
        at(async ({ enrolment }) => {
          const names = { serviceId, commonName: cn ?? serviceId, dns, ip };
          printRows([await enrolment.create({ names, uses, hours }, operator())], json, [
            'token',
            'service_id',
            'expires_at',
          ]);
        }),
    );
}

export function addCaCommands(pki: Command, at: At): void {
  const ca = pki.command('ca').description('The CA itself');
  ca.command('export')
    .description('Print the certificate of the CA (PEM)')
    .addArgument(new Argument('[which]').choices(['root', 'intermediate', 'chain']).default('root'))
    .action((which: 'root' | 'intermediate' | 'chain') =>
      at(async ({ authority }) => {
        const root = `${authority.root.toString('pem')}\n`;
        const intermediate = `${authority.intermediate.toString('pem')}\n`;
        process.stdout.write({ root, intermediate, chain: intermediate + root }[which]);
        return Promise.resolve();
      }),
    );
  ca.command('take-root-key <file>')
    .description('Move the key of the root, still encrypted, out of the database into a file, to keep it offline')
    .action((file: string) =>
      at((hand) =>
        hand.takeRootKey((sealed) => writeFresh(dirname(file), basename(file), `${JSON.stringify(sealed)}\n`)),
      ),
    );
  ca.command('put-root-key <file>')
    .description('Put it back, e.g. to sign the CRL of the root once a year')
    .action((file: string) => at(async (hand) => hand.putRootKey(JSON.parse(await readFile(file, 'utf8')) as unknown)));
}
