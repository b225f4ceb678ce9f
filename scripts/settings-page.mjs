import { builtModule } from './built-module.mjs';

/**
 * The table of all settings, from the list that the application checks them with.
 * @returns {Promise<string>} Markdown
 */
export async function settingsPage() {
  const { settingSpecs } = await builtModule('src/config/settings.js');
  const { isSecret } = await builtModule('src/config/setting-kinds.js');
  const rows = Object.entries(settingSpecs).map(([name, spec]) =>
    row(name, spec, isSecret(spec) ? `secret; or a file, \`${name}_FILE\`` : kindOf(spec)),
  );
  return [
    '<!-- Generated from src/config/settings.ts by `npm run generate`; do not edit. -->',
    '',
    '# Settings',
    '',
    'Environment variables, read once at start. All problems are listed at once, and nothing starts then (exit status 78).',
    'Relative paths start from the project folder. An unknown name that begins with CLARA_ or UDS3_ is a warning in the log.',
    '',
    '| Name | Value | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/**
 * @param {string} name
 * @param {{desc: string, default?: unknown, choices?: string[], _parse: (input: string) => unknown}} spec
 * @param {string} kind what a value is
 */
function row(name, spec, kind) {
  return `| \`${name}\` | ${kind} | ${shownDefault(spec)} | ${spec.desc.replaceAll('|', '\\|')} |`;
}

/** @param {{choices?: string[], _parse: (input: string) => unknown}} spec */
function kindOf({ choices, _parse }) {
  if (choices) return choices.join(', ');
  try {
    return Array.isArray(_parse('?')) ? 'list, separated by commas' : 'text';
  } catch (error) {
    // What a validator says of a wrong value names what a right one is.
    return kindInComplaint(/** @type {Error} */ (error).message);
  }
}

/** @param {string} message */
function kindInComplaint(message) {
  const range = /is not a (whole|decimal) number from (\S+) to (\S+)/.exec(message);
  if (range) return `${range[1] === 'whole' ? 'whole number' : 'number'}, ${range[2]} to ${range[3]}`;
  const choices = /is not a list out of (.+)/.exec(message) ?? /is not a security mode; there are (.+)/.exec(message);
  if (choices) return `${message.includes('list out of') ? 'list out of ' : ''}${choices[1]}`;
  if (/http or https.*nor is it self/.test(message)) return '`self`, or http or https address';
  if (/http or https/.test(message)) return 'http or https address';
  if (/bool/.test(message)) return 'true or false';
  if (/port/.test(message)) return 'port';
  const form = /^"\?" is not (?:of the form )?(.+)$/.exec(message);
  if (form) return form[1] ?? '';
  throw new Error(`what a setting may be is not told by: ${message}`);
}

/** @param {{default?: unknown}} spec */
function shownDefault(spec) {
  if (!('default' in spec)) return '**required**';
  const shown = Array.isArray(spec.default) ? spec.default.join(',') : spec.default;
  return shown === undefined || shown === '' ? '-' : `\`${shown}\``;
}
