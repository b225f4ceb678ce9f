import { DataSource } from 'typeorm';
import { dataSourceOptions } from './src/adapters/postgres/data-source.js';
import { commandLineConnection } from './src/config/command-line.js';

/** The data source of the TypeORM command line: `npm run migration -- show -d dist/ormconfig.js`. */
export default new DataSource(dataSourceOptions(commandLineConnection(process.env)));
