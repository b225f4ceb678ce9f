import { join } from 'node:path';

/** A script of this folder as it is built; also where the application itself runs from its sources, as tests do. */
export const builtScript = (root: string, name: string): string =>
  join(root, 'dist', 'src', 'adapters', 'parsers', `${name}.js`);
