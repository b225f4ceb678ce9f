import { renderSettings } from './server-settings.js';

describe('clara.conf', () => {
  it('keeps every acknowledged row', () => {
    const text = renderSettings({ kind: 'tcp', port: 5432 }, 'clara-1');
    expect(text).toContain("fsync = 'on'");
    expect(text).toContain("synchronous_commit = 'on'");
    expect(text).toContain("full_page_writes = 'on'");
  });

  it('listens in a private folder and on no port', () => {
    const text = renderSettings({ kind: 'socket', folder: '/data/socket', port: 5432 }, 'clara-1');
    expect(text).toContain("listen_addresses = ''");
    expect(text).toContain(`unix_socket_directories = '"/data/socket"'`);
    expect(text).toContain("unix_socket_permissions = '0700'");
  });

  it('listens on loopback only', () => {
    const text = renderSettings({ kind: 'tcp', port: 40123 }, 'clara-1');
    expect(text).toContain("listen_addresses = '127.0.0.1'");
    expect(text).toContain("port = '40123'");
    expect(text).toContain("unix_socket_directories = ''");
  });

  it('quotes a folder with commas, quotes and backslashes', () => {
    const text = renderSettings({ kind: 'socket', folder: `/a, b/it's\\"x"`, port: 5432 }, 'clara-1');
    expect(text).toContain(`unix_socket_directories = '"/a, b/it''s\\\\""x"""'`);
  });
});
