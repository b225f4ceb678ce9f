import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** The description of all routes; there once they are known. */
@Injectable()
export class ApiDescription {
  document: OpenAPIObject | undefined;
}
