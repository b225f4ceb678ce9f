import proxyAddr from 'proxy-addr';
import { messageOf } from '../kernel/errors.js';
import type { SecurityMode } from './security-settings.js';
import { list, whole } from './setting-kinds.js';

const perMinute = whole(0, 10_000_000);

export const limitSpecs = {
  CLARA_RATE_LIMIT_JOBS_PER_MINUTE: perMinute({
    default: undefined,
    desc: 'Jobs that one subject may create in a minute; 0: any number. Unset: 5, in debug and testing mode 0.',
  }),
  CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: perMinute({
    default: undefined,
    desc: 'Requests of one address in a minute; 0: any number. Unset: 3000, in debug and testing mode 0.',
  }),
  CLARA_RATE_LIMIT_FAILED_TOKENS_PER_MINUTE: perMinute({
    default: undefined,
    desc: 'Tokens of one address that may fail in a minute before further unknown ones are not looked at; 0: any number. Unset: 300, in debug and testing mode 0.',
  }),
  CLARA_TRUSTED_PROXIES: list({
    default: [],
    desc: 'Proxies whose X-Forwarded-For is believed: addresses, networks (10.0.0.0/8), loopback, linklocal, uniquelocal.',
  }),
  CLARA_MAX_BODY_KB: whole(1, 102_400)({ default: 1024, desc: 'Largest body of a request, after it was unpacked.' }),
};

type Read = {
  CLARA_SECURITY_MODE: SecurityMode;
  CLARA_RATE_LIMIT_JOBS_PER_MINUTE: number | undefined;
  CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: number | undefined;
  CLARA_RATE_LIMIT_FAILED_TOKENS_PER_MINUTE: number | undefined;
  CLARA_TRUSTED_PROXIES: string[];
  CLARA_MAX_BODY_KB: number;
};

export function limitProblems(read: Read): string[] {
  // Absent where an earlier problem was found.
  return (read.CLARA_TRUSTED_PROXIES ?? []).flatMap((proxy) => {
    try {
      proxyAddr.compile(proxy);
      return [];
    } catch (error) {
      return [
        `CLARA_TRUSTED_PROXIES: "${proxy}" is not an address or a network (${messageOf(error)}); ` +
          'name each proxy, e.g. 10.1.2.3, 10.1.0.0/16 or loopback',
      ];
    }
  });
}

/** 0 stands for no limit. */
export function limitsOf(read: Read) {
  const open = read.CLARA_SECURITY_MODE === 'debug' || read.CLARA_SECURITY_MODE === 'testing';
  const limit = (given: number | undefined, usual: number): number => given ?? (open ? 0 : usual);
  return {
    jobsPerMinute: limit(read.CLARA_RATE_LIMIT_JOBS_PER_MINUTE, 5),
    requestsPerMinute: limit(read.CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE, 3000),
    failedTokensPerMinute: limit(read.CLARA_RATE_LIMIT_FAILED_TOKENS_PER_MINUTE, 300),
    trustedProxies: read.CLARA_TRUSTED_PROXIES,
    maxBodyBytes: read.CLARA_MAX_BODY_KB * 1024,
  } as const;
}
