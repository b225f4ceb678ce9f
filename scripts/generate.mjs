// Writes what is derived from something else: run `npm run generate`; the check fails where a file has drifted.
import { readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';
import prettier from 'prettier';

const contract = 'trainer/src/clara_trainer/contract';

async function types(schemaFile, name) {
  const schema = JSON.parse(await readFile(`${contract}/${schemaFile}`, 'utf8'));
  return compile({ ...schema, title: name }, name, { bannerComment: '', additionalProperties: false, ignoreMinAndMaxItems: true });
}

async function generated() {
  const banner = '// Generated from trainer/src/clara_trainer/contract by `npm run generate`; do not edit.\n';
  const source = banner + (await types('run.schema.json', 'RunFile')) + (await types('event.schema.json', 'WorkerEvent'));
  const options = await prettier.resolveConfig('src/main.ts');
  return { 'src/modules/training/run-contract.generated.ts': await prettier.format(source, { ...options, parser: 'typescript' }) };
}

const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(await generated())) {
  const present = await readFile(path, 'utf8').catch(() => '');
  if (present === text) continue;
  if (check) {
    console.error(`${path} is not what its source says: run npm run generate`);
    process.exitCode = 1;
  } else {
    await writeFile(path, text);
    console.log(`wrote ${path}`);
  }
}
