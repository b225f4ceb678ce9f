import 'reflect-metadata';
import { Controller, Get, Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { LocalWakeups } from '../../../test/fixtures/queue.js';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { Settings, readSettings } from '../../config/settings.js';
import { countRequests } from '../../http-middleware.js';
import { Clock, SystemClock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { ProblemFilter } from '../../kernel/problem.filter.js';
import { Log } from '../../kernel/log.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { AuditModule } from '../audit/audit.module.js';
import { Opens, Requires } from '../security/access.port.js';
import { Authenticator } from '../security/authenticator.port.js';
import { KeySource } from '../security/key-source.port.js';
import { SecurityModule } from '../security/security.module.js';
import { LimitsModule } from './limits.module.js';
import { RequestLimit } from './request-limit.port.js';

const settings = readSettings({ CLARA_SECURITY_MODE: 'debug', CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: '2' }, '/srv');

@Controller()
class ThingsController {
  @Requires('training:read')
  @Get('closed')
  closed(): string {
    return 'closed';
  }

  @Opens('open')
  @Get('open')
  open(): string {
    return 'open';
  }
}

const outside = [
  { provide: Settings, useValue: settings },
  // Debug mode asks neither a database nor an issuer.
  { provide: DataSource, useValue: {} },
  { provide: KeySource, useValue: {} },
  { provide: Wakeups, useClass: LocalWakeups },
  { provide: Log, useClass: FakeLog },
  { provide: Registry, useFactory: () => new Registry() },
  { provide: Clock, useClass: SystemClock },
];

@Global()
@Module({ providers: outside, exports: outside })
class OutsideModule {}

@Module({ imports: [OutsideModule, AuditModule, SecurityModule, LimitsModule], controllers: [ThingsController] })
class LimitedModule {}

describe('the order of the guards', () => {
  let app: NestExpressApplication;
  beforeAll(async () => {
    app = await NestFactory.create<NestExpressApplication>(LimitedModule, { logger: false });
    app.use(countRequests(app.get(RequestLimit)));
    app.useGlobalFilters(new ProblemFilter(new FakeLog()));
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  it('asks who calls before it asks how often', async () => {
    const status = async (path: string) => (await fetch(`${await app.getUrl()}${path}`)).status;
    const refusal = new AppError('unauthorized', 'no token');
    const asked = import.meta.jest.spyOn(app.get(Authenticator), 'authenticate').mockRejectedValue(refusal);
    const seen: number[] = [];
    for (let round = 0; round < 4; round += 1) seen.push(await status('/closed'));
    expect(seen).toEqual([401, 401, 401, 401]);
    asked.mockRestore();
    expect([await status('/closed'), await status('/open')]).toEqual([429, 429]);
  });
});
