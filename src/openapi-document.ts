import { API_VERSION } from './kernel/api-version.js';
import type { INestApplication } from '@nestjs/common';
import { isOpenAiPath } from './kernel/openai-error.js';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** What ProblemFilter answers. */
const problem = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
    request_id: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'code', 'detail'],
};

/** What it answers below /v1. */
const openAiProblem = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: 'string', nullable: true },
        code: { type: 'string', nullable: true },
      },
      required: ['message', 'type', 'param', 'code'],
    },
  },
  required: ['error'],
};

const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const openAiContent = { 'application/json': { schema: { $ref: '#/components/schemas/OpenAiProblem' } } };

/** What any request may be answered with. */
const always: Record<string, string> = {
  400: 'The request is misshapen.',
  413: 'The body is too large.',
  414: 'The address is too long.',
  415: 'The body is of a type that is not read.',
  429: 'Too many requests; Retry-After tells when to come again.',
  431: 'The headers are too large, or too many.',
  503: 'The database is away; Retry-After tells when to come again.',
};
const aboutOne = { 404: 'There is no such thing.' };
const changing = { 409: 'Its state, or an earlier request with the same Idempotency-Key, does not allow it.' };
/** Of answers that an engine makes. */
const byEngine = {
  502: 'The engine broke off, or its answer is none.',
  504: 'No engine was ready in time; Retry-After tells when to come again.',
};
const withInput = { 422: 'The input is not valid; `errors` says where.' };

/** The description of all routes; openapi.json is its committed copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('CLARA')
    .setDescription('Self-hosted learning from documents and corrections: datasets, LoRA training, serving.')
    .setVersion(API_VERSION)
    .addTag('training', 'Jobs, from the configuration to the adapter')
    .addTag('ingestion', 'Ways in for documents: files, archives, folders, chunks; jobs and their files')
    .addTag('documents', 'Documents, who may read them, and their chunks')
    .addTag('search', 'By word, meaning and reference; each hit says why it is there')
    .addTag('datasets', 'Training sets: built from searches, documents and files, versioned, exported')
    .addTag('serving', "Answers by base model and adapters: OpenAI's surface, and the original's")
    .addTag('fine-tuning', "OpenAI's files and fine-tuning jobs: its clients work here unmodified")
    .addTag('adapters', 'Versions of adapters, the aliases that lead to them, their history; uploads and exports')
    .addTag('security', 'Personal tokens and tickets')
    .addTag('audit', 'Who did what')
    .addTag('pki', 'Certificates of services')
    .addTag('health')
    .addTag('metrics')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An access token of the issuer, or a personal access token.',
    })
    .build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method });
  sortEnums(document);
  describeProblems(document);
  return document;
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

function describeProblems(document: OpenAPIObject): void {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: problem, OpenAiProblem: openAiProblem },
  };
  for (const [path, item] of Object.entries(document.paths))
    for (const method of methods) if (item[method]) describe(item[method], path, method !== 'get');
}

/** Adapters stand in queries and bodies too; bare paths are there on the port of serving alone. */
const namesAdapter =
  /^\/(api\/(serving|adapters)|status|load_adapter|activate_adapter|deactivate_adapter|unload_adapter|generate|route)(\/|$)/;

/** Bad input below /v1 is 400, as everything else that is wrong with a request. */
function describe(operation: Operation, path: string, changes: boolean): void {
  const isOpenAi = isOpenAiPath(path);
  const hasInput = operation.requestBody !== undefined || (operation.parameters ?? []).length > 0;
  const possible = {
    ...always,
    ...(path.includes('{') || (isOpenAi && changes) || namesAdapter.test(path) ? aboutOne : {}),
    ...((changes && !isOpenAi) || path.endsWith('/download') ? changing : {}),
    ...(hasInput && !isOpenAi ? withInput : {}),
    ...(/^\/(v1\/|generate|api\/serving\/generate)/.test(path) && changes ? byEngine : {}),
  };
  for (const [status, description] of Object.entries(possible))
    operation.responses[status] = {
      description,
      ...operation.responses[status],
      content: isOpenAi ? openAiContent : content,
    };
}

/** The compiler lists a union in the order in which it met the members, which differs from build to build. */
function sortEnums(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('enum' in node && Array.isArray(node.enum)) node.enum.sort((a, b) => String(a).localeCompare(String(b), 'en'));
  for (const child of Object.values(node)) sortEnums(child);
}
