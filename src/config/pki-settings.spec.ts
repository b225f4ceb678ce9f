import { readSettings, SettingsError } from './settings.js';

const PASSPHRASE = 'sixteen characters';
const FILES = { SERVICE_CERT_PATH: '/c', SERVICE_KEY_PATH: '/k', CA_CERT_PATH: '/a' };

const pki = (env: Record<string, string>) =>
  readSettings({ CLARA_SECURITY_MODE: 'production', ...env }, '/srv/clara').pki;

function problems(env: Record<string, string>): string[] {
  try {
    pki(env);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems;
  }
}

describe('the certificate authority', () => {
  it('runs in production with mutual TLS, where no outside files are named', () => {
    expect(pki({ CLARA_PKI_PASSPHRASE: PASSPHRASE }).enabled).toBe(true);
    expect(pki(FILES).enabled).toBe(false);
    expect(pki({ CLARA_MTLS_ENABLED: 'false' }).enabled).toBe(false);
    expect(pki({ CLARA_SECURITY_MODE: 'debug' }).enabled).toBe(false);
    expect(
      pki({ CLARA_SECURITY_MODE: 'debug', CLARA_PKI_ENABLED: 'true', CLARA_PKI_PASSPHRASE: PASSPHRASE }).enabled,
    ).toBe(true);
  });

  it('needs a passphrase, under its name or that of the original', () => {
    expect(problems({})).toEqual([expect.stringContaining('openssl rand -base64 32')]);
    expect(problems({ VCC_INTERMEDIATE_CA_PASSWORD: PASSPHRASE })).toEqual([]);
    const [short = ''] = problems({ CLARA_PKI_PASSPHRASE: 'hush' });
    expect(short).toContain('has 4 characters');
    expect(short).not.toContain('hush');
  });

  it('or the files of another one: all three of them', () => {
    expect(problems({ SERVICE_CERT_PATH: '/c' })).toEqual([
      expect.stringMatching(/^SERVICE_KEY_PATH: is missing/),
      expect.stringMatching(/^CA_CERT_PATH: is missing/),
    ]);
    expect(problems({ CLARA_PKI_ENABLED: 'false' })).toEqual([expect.stringMatching(/^CLARA_PKI_ENABLED: is false/)]);
  });

  it('puts only names into the own certificate, each once', () => {
    const { dns, ip } = pki({
      CLARA_PKI_PASSPHRASE: PASSPHRASE,
      CLARA_CERT_SANS: 'clara.test,localhost,10.0.0.1',
    }).certificate;
    expect(dns).toEqual(expect.arrayContaining(['localhost', 'clara.test']));
    expect(dns.filter((name) => name === 'localhost')).toHaveLength(1);
    expect(ip).toEqual(['127.0.0.1', '::1', '10.0.0.1']);
    expect(problems({ CLARA_PKI_PASSPHRASE: PASSPHRASE, CLARA_CERT_SANS: 'a b,*.test' })).toHaveLength(2);
  });

  it('renews before the end', () => {
    const found = problems({ CLARA_PKI_PASSPHRASE: PASSPHRASE, CLARA_CERT_DAYS: '10' });
    expect(found).toEqual([
      expect.stringMatching(/^CLARA_CERT_RENEW_DAYS: 30 is not less than CLARA_CERT_DAYS \(10\)/),
    ]);
  });
});
