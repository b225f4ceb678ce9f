import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import proxyAddr from 'proxy-addr';
import { Settings } from '../../config/settings.js';

const V4_IN_V6 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const GROUPS = 8;
/** Groups of an IPv6 address that its network has: a household or an office gets at least a /64. */
const NETWORK_GROUPS = 4;

/** Where requests come from: the peer, or the client that a trusted proxy names. */
@Injectable()
export class ClientAddress {
  readonly #trust: (address: string, hop: number) => boolean;

  constructor({ limits }: Settings) {
    this.#trust = proxyAddr.compile([...limits.trustedProxies]);
  }

  of(request: IncomingMessage): string {
    const named = proxyAddr(request, this.#trust);
    return isIP(named) ? named : (request.socket.remoteAddress ?? '');
  }

  /** What limits count by: an IPv4 address, or the /64 of an IPv6 one. */
  networkOf(request: IncomingMessage): string {
    return networkOf(this.of(request));
  }
}

export function networkOf(address: string): string {
  const v4 = V4_IN_V6.exec(address)?.[1];
  if (v4 !== undefined || isIP(address) !== 6) return v4 ?? address;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
