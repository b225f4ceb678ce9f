import { Body, Controller, Delete, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  ChangeDocumentDto,
  ChunkDto,
  DocumentDto,
  DocumentListDto,
  DocumentRemovedDto,
  ListDocumentsQuery,
} from './document.dto.js';
import { DocumentsService } from './documents.service.js';

@ApiTags('documents')
@Controller('api/documents')
export class DocumentsController {
  constructor(private readonly documents: DocumentsService) {}

  @Requires('datasets:search')
  @Get()
  @ApiOperation({ summary: 'Documents that the caller may read, newest first' })
  list(@Query() query: ListDocumentsQuery, @CurrentUser() user: Caller): Promise<DocumentListDto> {
    return this.documents.list(query, user);
  }

  @Requires('datasets:search')
  @Get(':document_id')
  @ApiOperation({ summary: 'One document' })
  @ApiNotFoundResponse({ description: 'There is no such document, or it is not for this caller.' })
  get(@Param('document_id') documentId: string, @CurrentUser() user: Caller): Promise<DocumentDto> {
    return this.documents.get(documentId, user);
  }

  @Requires('datasets:search')
  @Get(':document_id/chunks')
  @ApiOperation({ summary: 'The chunks of a document, in order' })
  @ApiNotFoundResponse({ description: 'There is no such document, or it is not for this caller.' })
  chunks(@Param('document_id') documentId: string, @CurrentUser() user: Caller): Promise<ChunkDto[]> {
    return this.documents.chunks(documentId, user);
  }

  @Requires('documents:create')
  @Patch(':document_id')
  @ApiOperation({ summary: 'Change who may read a document, or its tags' })
  @ApiNotFoundResponse({ description: 'There is no such document, or it is not for this caller.' })
  change(
    @Param('document_id') documentId: string,
    @Body() request: ChangeDocumentDto,
    @CurrentUser() user: Caller,
  ): Promise<DocumentDto> {
    return this.documents.change(documentId, request, user);
  }

  @Requires('documents:create')
  @Delete(':document_id')
  @ApiOperation({ summary: 'Remove a document with its versions and its file, from every store' })
  @ApiNotFoundResponse({ description: 'There is no such document, or it is not for this caller.' })
  remove(@Param('document_id') documentId: string, @CurrentUser() user: Caller): Promise<DocumentRemovedDto> {
    return this.documents.remove(documentId, user);
  }
}
