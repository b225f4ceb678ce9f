import type { IncomingMessage } from 'node:http';
import { readSettings } from '../../config/settings.js';
import { ClientAddress, networkOf } from './client-address.port.js';

const requestFrom = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

const addresses = (proxies = ''): ClientAddress =>
  new ClientAddress(readSettings({ CLARA_SECURITY_MODE: 'debug', CLARA_TRUSTED_PROXIES: proxies }, '/srv'));

describe('the address of a client', () => {
  it('is the peer, whatever a header claims', () =>
    expect(addresses().of(requestFrom('203.0.113.7', '1.2.3.4'))).toBe('203.0.113.7'));

  it('is what a trusted proxy names, but not what stands before it', () => {
    const behind = addresses('loopback,10.0.0.0/8');
    expect(behind.of(requestFrom('127.0.0.1', '203.0.113.7'))).toBe('203.0.113.7');
    expect(behind.of(requestFrom('10.1.2.3', '6.6.6.6, 203.0.113.7, 10.9.9.9'))).toBe('203.0.113.7');
    expect(behind.of(requestFrom('198.51.100.1', '203.0.113.7'))).toBe('198.51.100.1');
  });

  it('is the peer where a proxy names nonsense', () =>
    expect(addresses('loopback').of(requestFrom('127.0.0.1', 'unknown'))).toBe('127.0.0.1'));
});

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
});
