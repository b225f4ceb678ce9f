import { join } from 'node:path';

/**
 * A script of the adapters as it is built; also where the application itself runs from its sources, as tests do.
 * @param name such as `parsers/parse-worker`
 */
export const builtScript = (root: string, name: string): string => join(root, 'dist', 'src', 'adapters', `${name}.js`);
