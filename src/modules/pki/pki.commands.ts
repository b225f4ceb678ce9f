import { X509Certificate as NodeCertificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { type Command } from 'commander';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/settings.js';
import { inTransaction } from '../../kernel/transaction.js';
import type { AuditTrail } from '../audit/audit.port.js';
import { publicKeyOf } from './certificate-request.js';
import type { CertificateRow } from './certificates.service.js';
import { certificateView } from './envelope.js';
import { makeKey, writeFresh } from './key-files.js';
import { nameOptions, printRows, whole, type NameOptions, type Print } from './command-output.js';
import { PkiAtHand } from './pki-at-hand.js';
import { operator } from '../security/principal.port.js';
import { addCaCommands, addTokenCommands } from './pki-ca.commands.js';
import { reasonNames, reasonOf } from './revocation.js';

interface Context {
  settings: Settings;
  dataSource: DataSource;
  audit: AuditTrail;
}

export type Open = <T>(work: (context: Context) => Promise<T>) => Promise<T>;

interface IssueOptions extends NameOptions, Print {
  days: number;
  out?: string;
}

/** What an administrator does with the PKI from a shell. */
export function addPkiCommands(program: Command, open: Open): void {
  const pki = program.command('pki').description('Certificate authority: certificates of services');
  const at = <T>(work: (pki: PkiAtHand) => Promise<T>): Promise<T> =>
    open(async (context) => work(await PkiAtHand.open(context)));
  addReadCommands(pki, at);
  addIssueCommands(pki, at);
  addChangeCommands(pki, at);
  addTokenCommands(pki, at);
  addCaCommands(pki, at);
}

export type At = <T>(work: (pki: PkiAtHand) => Promise<T>) => Promise<T>;

function addReadCommands(pki: Command, at: At): void {
  const info = ({ json }: Print) =>
    at(async ({ authority, lists }) => {
      const crls = await lists.all();
      const rows = [authority.root, authority.intermediate].map((ca, index) => ({
        subject: ca.subject,
        serial_number: ca.serialNumber,
        not_after: ca.notAfter.toISOString(),
        crl_number: crls[index]?.number ?? 0,
        crl_next_update: crls[index]?.nextUpdate.toISOString() ?? '',
      }));
      printRows(rows, json);
    });
  pki.command('init').description('Make the CA, where there is none').option('--json').action(info);
  pki.command('info').description('Both CAs and their CRLs').option('--json').action(info);
  pki
    .command('list')
    .description('All certificates, newest first')
    .option('--json')
    .action(({ json }: Print) => at(async ({ certificates }) => show(await certificates.list(), json)));
  pki
    .command('verify <certificate>')
    .description('Whether a certificate (a PEM file) is of this CA and valid now')
    .action((file: string) => at((hand) => verify(hand, file)));
}

/** Sets the exit status where it is not valid. */
async function verify({ authority, certificates }: PkiAtHand, file: string): Promise<void> {
  const leaf = new NodeCertificate(await readFile(file));
  const issuer = new NodeCertificate(authority.intermediate.toString('pem'));
  const isOurs = leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
  const row = isOurs ? await certificates.bySerial(leaf.serialNumber.toLowerCase()) : undefined;
  const status = row ? certificateView(row, Date.now()).status : 'unknown';
  if (status !== 'active') process.exitCode = 1;
  const words = status === 'active' ? 'valid' : status === 'unknown' ? 'not of this CA' : status;
  process.stdout.write(`${file}: ${words}${row?.reason ? ` (${row.reason})` : ''}\n`);
}

function addIssueCommands(pki: Command, at: At): void {
  nameOptions(pki.command('issue <service-id>'))
    .description('Make a key and a certificate for a service; writes SERVICE.key (0600), SERVICE.pem and ca.pem')
    .option('--days <days>', 'validity', whole(1, 730), 365)
    .option('--out <folder>', 'folder of the files', '.')
    .option('--json')
    .action((id: string, options: IssueOptions) => at((hand) => issue(hand, id, options)));
  nameOptions(pki.command('sign <csr>'))
    .description('Sign a PKCS#10 request (a PEM file); the certificate and its chain go to stdout')
    .requiredOption('--service <service-id>', 'the service it is for')
    .option('--days <days>', 'validity', whole(1, 730), 365)
    .action((file: string, options: IssueOptions & { service: string }) => at((hand) => sign(hand, file, options)));
  pki
    .command('renew <service-id>')
    .description('A new certificate with the same names: for the request in --csr, or for a new key in --out')
    .option('--csr <file>', 'PKCS#10 request; the certificate goes to stdout')
    .option('--days <days>', 'validity', whole(1, 730), 365)
    .option('--out <folder>', 'folder of the files', '.')
    .action((id: string, options: RenewOptions) => at((hand) => renew(hand, id, options)));
}

async function issue(
  hand: PkiAtHand,
  serviceId: string,
  { cn, dns, ip, days, out = '.', json }: IssueOptions,
): Promise<void> {
  const key = await makeKey();
  const names = { serviceId, commonName: cn ?? serviceId, dns, ip };
  const row = await hand.issue({ names, publicKey: key.publicKey, days, action: 'pki.certificate.issue' });
  await writePair(hand, row, key.pem, out);
  show([row], json);
}

async function sign(hand: PkiAtHand, file: string, options: IssueOptions & { service: string }): Promise<void> {
  const { service, cn, dns, ip, days } = options;
  const publicKey = await publicKeyOf(await readFile(file, 'utf8'));
  const names = { serviceId: service, commonName: cn ?? service, dns, ip };
  const row = await hand.issue({ names, publicKey, days, action: 'pki.certificate.issue' });
  process.stdout.write(hand.chainOf(row));
}

interface RenewOptions {
  csr?: string;
  days: number;
  out: string;
}

async function renew(hand: PkiAtHand, id: string, { csr, days, out }: RenewOptions): Promise<void> {
  const old = await hand.certificates.valid(id);
  const names = { serviceId: old.service_id, commonName: old.common_name, dns: old.san_dns, ip: old.san_ip };
  const key = csr ? undefined : await makeKey();
  const publicKey = key ? key.publicKey : await publicKeyOf(await readFile(csr ?? '', 'utf8'));
  const row = await hand.issue({ names, publicKey, days, action: 'pki.certificate.renew' });
  if (!key) process.stdout.write(hand.chainOf(row));
  else {
    await writePair(hand, row, key.pem, out);
    show([row]);
  }
}

/** A key that is there already is never written over. */
async function writePair(hand: PkiAtHand, row: CertificateRow, key: string, folder: string): Promise<void> {
  await writeFresh(folder, `${row.service_id}.key`, key);
  await writeFile(`${folder}/${row.service_id}.pem`, hand.chainOf(row));
  await writeFile(`${folder}/ca.pem`, `${hand.authority.root.toString('pem')}\n`);
}

function addChangeCommands(pki: Command, at: At): void {
  pki
    .command('revoke <id>')
    .description('Revoke every valid certificate of a service, or one by its id or serial number')
    .option('--reason <reason>', reasonNames.join(', '), 'unspecified')
    .option('--json')
    .action((id: string, { reason, json }: Print & { reason: string }) =>
      at(async ({ certificates }) => {
        const known = reasonOf(reason);
        if (!known) throw new Error(`"${reason}" is not a reason; there are ${reasonNames.join(', ')}`);
        show(await certificates.revoke(id, known, operator()), json);
      }),
    );
  pki
    .command('crl')
    .description('Sign the next CRL of both CAs, and print them (PEM)')
    .action(() =>
      at(async ({ source, lists }) => {
        for (const issuer of ['intermediate', 'root'] as const)
          await inTransaction(source, async (sql) => {
            await lists.lock(sql, issuer);
            await lists.sign(sql, issuer);
          });
        process.stdout.write(await lists.pem());
      }),
    );
}

const show = (rows: readonly CertificateRow[], json?: boolean): void =>
  printRows(
    rows.map((row) => certificateView(row, Date.now())),
    json,
    ['service_id', 'status', 'serial_number', 'not_after', 'days_until_expiry'],
  );
