import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { markService, type ServiceName } from '../../kernel/service-port.js';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { ProblemFilter } from '../../kernel/problem.filter.js';
import { systemCaller, type AuthenticatedRequest } from '../security/principal.port.js';
import { AdapterOrders } from './adapter-orders.service.js';
import { BareServingController } from './bare-serving.controller.js';
import { ServingController } from './serving.controller.js';
import { ServingViews } from './serving-views.js';

const answer = (status: string) => () => ({ status });
const orders = { load: answer('loaded'), activate: answer('activated'), unload: answer('unloaded') };

describe('the orders that name an adapter', () => {
  let app: INestApplication;
  let port: ServiceName = 'main';

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [ServingController, BareServingController],
      providers: [
        { provide: AdapterOrders, useValue: { ...orders, deactivate: answer('deactivated') } },
        { provide: ServingViews, useValue: { bare: answer('bare') } },
      ],
    }).compile();
    app = module.createNestApplication({ logger: false });
    app.use((request: AuthenticatedRequest, _response: unknown, next: () => void) => {
      markService(request, port, 1);
      request.user = systemCaller('somebody');
      next();
    });
    app.useGlobalFilters(new ProblemFilter(new FakeLog()));
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  const call = async (method: string, path: string): Promise<[number, unknown]> => {
    const response = await fetch(`${await app.getUrl()}/${path}`, { method });
    return [response.status, ((await response.json()) as { status: unknown }).status];
  };

  it.each([
    ['POST', 'load_adapter', 'loaded'],
    ['POST', 'activate_adapter', 'activated'],
    ['POST', 'deactivate_adapter', 'deactivated'],
    ['DELETE', 'unload_adapter', 'unloaded'],
  ])('%s %s stands below api/serving everywhere, and bare on the serving port only', async (method, path, status) => {
    port = 'main';
    expect(await call(method, `api/serving/${path}`)).toEqual([200, status]);
    expect(await call(method, path)).toEqual([404, 404]);
    port = 'serving';
    expect(await call(method, path)).toEqual([200, status]);
  });
});
