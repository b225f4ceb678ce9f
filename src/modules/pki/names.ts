import { isIP } from 'node:net';
import { AppError, type Problem } from '../../kernel/errors.js';

export const SERVICE_ID = /^[a-z0-9-]{3,64}$/;
/** Letters of any language, digits and what host names and titles have between them; nothing that a name's grammar uses. */
export const COMMON_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{1,62}[\p{L}\p{N}]$/u;
const DNS_LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const DNS_NAME = new RegExp(`^(?=.{1,253}$)${DNS_LABEL}(\\.${DNS_LABEL})*$`);
const SERIAL_OR_ID = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const MOST_NAMES = 50;

/** Who a certificate is for. */
export interface Names {
  serviceId: string;
  commonName: string;
  dns: readonly string[];
  ip: readonly string[];
}

/** Everything that is wrong with the names of a certificate. */
export function nameProblems({ serviceId, commonName, dns, ip }: Names): Problem[] {
  const problems: Problem[] = [];
  const wrong = (path: string, value: string, why: string) =>
    problems.push({ path, message: `${path}: ${JSON.stringify(value.slice(0, 80))} ${why}` });
  if (!SERVICE_ID.test(serviceId)) wrong('service_id', serviceId, 'is not 3 to 64 of a-z, 0-9 and -');
  // The same path names a service, a certificate or a serial number: none may look like another.
  else if (SERIAL_OR_ID.test(serviceId)) wrong('service_id', serviceId, 'looks like the id of a certificate');
  if (!COMMON_NAME.test(commonName))
    wrong('common_name', commonName, 'is not 3 to 64 letters, digits, spaces, dots, - and _');
  for (const name of dns) if (!isDnsName(name)) wrong('san_dns', name, 'is not a DNS name in lower case');
  for (const address of ip) if (isIP(address) === 0) wrong('san_ip', address, 'is not an IP address');
  if (dns.length + ip.length > MOST_NAMES)
    wrong('san_dns', String(dns.length + ip.length), `names are more than ${MOST_NAMES}`);
  return problems;
}

/** @throws AppError naming every name that cannot stand in a certificate */
export function mustBeNames(names: Names): void {
  const problems = nameProblems(names);
  if (problems.length > 0) throw new AppError('invalid', problems.map(({ message }) => message).join('; '), problems);
}

export const isDnsName = (name: string): boolean => DNS_NAME.test(name);

/** The names that are asked for and not allowed. */
export const outside = (asked: readonly string[], allowed: readonly string[]): string[] =>
  asked.filter((name) => !allowed.includes(name));
