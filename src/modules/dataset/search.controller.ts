import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { CorpusStatisticsDto, SearchDto, SearchReplyDto } from './search.dto.js';
import { SearchService } from './search.service.js';

/** Finds documents; what a caller may not read is found by none of the legs. */
@ApiTags('search')
@Requires('datasets:search')
@Controller('api/datasets')
export class SearchController {
  constructor(private readonly search: SearchService) {}

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search by word, meaning and reference; each hit says why it is there' })
  all(@Body() request: SearchDto, @CurrentUser() user: Caller): Promise<SearchReplyDto> {
    return this.search.run(request, user);
  }

  @Post('search/hybrid')
  @HttpCode(200)
  @ApiOperation({ summary: 'All legs together' })
  hybrid(@Body() request: SearchDto, @CurrentUser() user: Caller): Promise<SearchReplyDto> {
    return this.search.run(request, user, ['keyword', 'vector', 'graph']);
  }

  @Post('search/vector')
  @HttpCode(200)
  @ApiOperation({ summary: 'By meaning alone' })
  vector(@Body() request: SearchDto, @CurrentUser() user: Caller): Promise<SearchReplyDto> {
    return this.search.run(request, user, ['vector']);
  }

  @Post('search/keyword')
  @HttpCode(200)
  @ApiOperation({ summary: 'By word alone: BM25 over German stems and parts of compounds' })
  keyword(@Body() request: SearchDto, @CurrentUser() user: Caller): Promise<SearchReplyDto> {
    return this.search.run(request, user, ['keyword']);
  }

  @Post('search/graph')
  @HttpCode(200)
  @ApiOperation({
    summary: 'What the provisions of the question refer to, and what refers to them; and what the words lead to',
  })
  graph(@Body() request: SearchDto, @CurrentUser() user: Caller): Promise<SearchReplyDto> {
    return this.search.run(request, user, ['graph']);
  }

  @Get(['statistics', 'search/statistics'])
  @ApiOperation({ summary: 'What there is to be searched' })
  statistics(@CurrentUser() user: Caller): Promise<CorpusStatisticsDto> {
    return this.search.statistics(user);
  }
}
