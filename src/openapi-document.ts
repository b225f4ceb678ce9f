import { API_VERSION } from './kernel/api-version.js';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** What ProblemFilter answers. */
const problemContent = {
  'application/problem+json': {
    schema: {
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
    },
  },
};

/** The description of all routes; openapi.json is its committed copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('CLARA')
    .setDescription('Self-hosted learning from documents and corrections: datasets, LoRA training, serving.')
    .setVersion(API_VERSION)
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An access token of the issuer, or a personal access token.',
    })
    .addGlobalResponse({ status: 'default', description: 'A problem, RFC 9457', content: problemContent })
    .build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method });
  sortEnums(document);
  return document;
}

/** The compiler lists a union in the order in which it met the members, which differs from build to build. */
function sortEnums(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('enum' in node && Array.isArray(node.enum)) node.enum.sort((a, b) => String(a).localeCompare(String(b), 'en'));
  for (const child of Object.values(node)) sortEnums(child);
}
