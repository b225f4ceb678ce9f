import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Opens, Requires } from './access.port.js';
import {
  CreatePersonalTokenDto,
  ListPersonalTokensQuery,
  NewPersonalTokenDto,
  PersonalTokenListDto,
  TicketDto,
} from './personal-token.dto.js';
import { PersonalTokens } from './personal-tokens.service.js';
import { CurrentUser, type Caller } from './principal.port.js';
import { Tickets } from './tickets.service.js';

@ApiTags('security')
@Controller('api')
export class SecurityController {
  constructor(
    private readonly tokens: PersonalTokens,
    private readonly tickets: Tickets,
  ) {}

  @Requires('tokens:own')
  @Post('tokens')
  @ApiOperation({ summary: 'Make a personal access token; it is shown this once' })
  create(@Body() request: CreatePersonalTokenDto, @CurrentUser() user: Caller): Promise<NewPersonalTokenDto> {
    return this.tokens.create(request, user);
  }

  @Requires('tokens:own')
  @Get('tokens')
  @ApiOperation({ summary: 'Your personal access tokens; for an admin with all=true those of everybody' })
  async list(@Query() query: ListPersonalTokensQuery, @CurrentUser() user: Caller): Promise<PersonalTokenListDto> {
    return { tokens: await this.tokens.list(user, query.all === 'true') };
  }

  @Requires('tokens:own')
  @Delete('tokens/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a personal access token; it ends at once, and with it the sockets it opened' })
  revoke(@Param('id') id: string, @CurrentUser() user: Caller): Promise<void> {
    return this.tokens.revoke(id, user);
  }

  @Opens('known')
  @Post('tickets')
  @ApiOperation({ summary: 'A ticket for one handshake of a socket, where no header can be sent' })
  ticket(@CurrentUser() user: Caller): Promise<TicketDto> {
    return this.tickets.issue(user);
  }
}
