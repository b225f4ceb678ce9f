import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiDescription } from './api-description.js';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { Opens } from '../security/access.port.js';
import { serviceOf } from '../../kernel/service-port.js';

const require = createRequire(import.meta.url);
const swagger = dirname(require.resolve('swagger-ui-dist/package.json'));
const redoc = dirname(require.resolve('redoc/package.json'));

/** The files that the two pages load: from the installed packages, never from a CDN. */
const assets: Record<string, string> = {
  'swagger-ui.css': join(swagger, 'swagger-ui.css'),
  'swagger-ui-bundle.js': join(swagger, 'swagger-ui-bundle.js'),
  'favicon-32x32.png': join(swagger, 'favicon-32x32.png'),
  'redoc.standalone.js': join(redoc, 'bundles', 'redoc.standalone.js'),
};

const START_SWAGGER = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null });`;
const START_REDOC = `Redoc.init('/openapi.json', { hideLoading: true }, document.getElementById('page'));`;
const scripts: Record<string, string> = { 'start-swagger.js': START_SWAGGER, 'start-redoc.js': START_REDOC };

/** What stands on every page of a mode that protects nothing. */
const warnings: Partial<Record<Settings['security']['mode'], string>> = {
  debug: 'Debug mode: no security, everybody is admin. Never use it in production.',
  testing: 'Testing mode: signatures of tokens are not checked, anybody can be anyone. Never use it in production.',
};
const bannerOf = (warning: string | undefined): string =>
  warning === undefined
    ? ''
    : `<p role="alert" style="margin:0;padding:.6rem 1rem;background:#7a1f1f;color:#fff;font:14px sans-serif">${warning}</p>\n`;

interface Page {
  title: string;
  style: string;
  library: string;
  start: string;
  banner: string;
}

const page = ({ title, style, library, start, banner }: Page): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="/docs/favicon-32x32.png">${style}</head>
<body style="margin:0">
${banner}<div id="page"></div><script src="/docs/${library}"></script><script src="/docs/${start}"></script></body></html>`;

/** Swagger UI and ReDoc from local files. */
@ApiExcludeController()
@Opens('docs')
@Controller()
export class DocsController {
  readonly #banner: string;

  constructor(
    settings: Settings,
    private readonly description: ApiDescription,
  ) {
    this.#banner = bannerOf(warnings[settings.security.mode]);
  }

  @Get('docs')
  docs(@Req() request: Request, @Res({ passthrough: true }) response: Response): string {
    response.type('html');
    const style = '<link rel="stylesheet" href="/docs/swagger-ui.css">';
    return this.#page(request, { style, library: 'swagger-ui-bundle.js', start: 'start-swagger.js' });
  }

  @Get('redoc')
  redoc(@Req() request: Request, @Res({ passthrough: true }) response: Response): string {
    response.type('html');
    return this.#page(request, { style: '', library: 'redoc.standalone.js', start: 'start-redoc.js' });
  }

  #page(request: Request, parts: Pick<Page, 'style' | 'library' | 'start'>): string {
    return page({ ...parts, title: `CLARA ${serviceOf(request).service} API`, banner: this.#banner });
  }

  @Get('openapi.json')
  openApi(): OpenAPIObject {
    const { document } = this.description;
    if (!document) throw new AppError('unavailable', 'The description of the API is not made yet; try again');
    return document;
  }

  @Get('docs/:file')
  asset(@Param('file') file: string, @Res() response: Response): void {
    const path = assets[file];
    if (scripts[file] !== undefined) response.type('js').send(scripts[file]);
    else if (path !== undefined) response.sendFile(path, { maxAge: '1h', dotfiles: 'allow' });
    else throw new AppError('not_found', `No such file: /docs/${file}`);
  }
}
