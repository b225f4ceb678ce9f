import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, SettingsError, unknownSettings } from './settings.js';
import { withSecretFiles } from './secret-files.js';

const NAME = 'UDS3_POSTGRES_PASSWORD';

describe('a secret in a file', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'clara-secret-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (text: string, mode = 0o600): Promise<string> => {
    await writeFile(join(folder, 'secret'), text);
    await chmod(join(folder, 'secret'), mode);
    return join(folder, 'secret');
  };
  const read = (env: Record<string, string>) => withSecretFiles(env, [NAME], folder);

  it.each([
    ['hunter22', 'hunter22'],
    ['hunter22\n', 'hunter22'],
    ['hunter22\r\n', 'hunter22'],
    [' two\nlines \n\n', ' two\nlines \n'],
  ])('%j is %j', async (text, secret) => {
    expect(read({ [`${NAME}_FILE`]: await write(text) })).toEqual({
      env: expect.objectContaining({ [NAME]: secret }),
      problems: [],
    });
  });

  it('is found from the root, is no unknown setting, and becomes the setting', async () => {
    await write('hunter22\n');
    const env = { CLARA_SECURITY_MODE: 'debug', UDS3_POSTGRES_HOST: 'db', [`${NAME}_FILE`]: 'secret' };
    const settings = readSettings(env, folder);
    expect(settings.postgres?.password).toBe('hunter22');
    expect(settings.mask.text('it is hunter22')).toBe('it is ***');
    expect(unknownSettings(env)).toEqual([]);
    expect(unknownSettings({ CLARA_HOST_FILE: 'x' })).toEqual(['CLARA_HOST_FILE']);
  });

  it('is refused beside the setting itself', async () => {
    const { problems } = read({ [NAME]: 'hunter22', [`${NAME}_FILE`]: await write('hunter22') });
    expect(problems).toEqual([`${NAME}_FILE: ${NAME} is set as well; keep one of the two`]);
  });

  it('is refused where it is missing, empty, too large or no file', async () => {
    const problem = (file: string) => read({ [`${NAME}_FILE`]: file }).problems[0];
    expect(problem(join(folder, 'nothing'))).toMatch(/nothing cannot be read \(ENOENT.*; name a file/);
    expect(problem(await write(''))).toContain('is empty');
    expect(problem(await write('\n'))).toContain('is empty');
    expect(problem(await write('x'.repeat(65_537)))).toContain('has 65537 bytes');
    await mkdir(join(folder, 'sub'));
    expect(problem(join(folder, 'sub'))).toContain('is not a file');
  });

  it('is refused in production where everybody may read it', async () => {
    const env = { CLARA_SECURITY_MODE: 'production', [`${NAME}_FILE`]: await write('hunter22', 0o644) };
    expect(read(env).problems[0]).toContain('may be read by every user');
    expect(read({ ...env, CLARA_SECURITY_MODE: 'debug' }).problems).toEqual([]);
    await write('hunter22', 0o640);
    expect(read(env).problems).toEqual([]);
  });

  it('stands among the other problems, without its value', async () => {
    const env = { CLARA_MAIN_PORT: 'x', [NAME]: 'hunter22', [`${NAME}_FILE`]: await write('hunter22') };
    const failed = (() => {
      try {
        return readSettings(env, folder);
      } catch (error) {
        return error;
      }
    })();
    expect(failed).toBeInstanceOf(SettingsError);
    expect((failed as SettingsError).problems).toHaveLength(3);
    expect((failed as SettingsError).message).not.toContain('hunter22');
  });
});
