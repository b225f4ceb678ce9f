import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Permission } from './permissions.js';

/** A personal access token; of the token itself only the digest is kept. */
@Entity('security_personal_tokens')
@Index('security_personal_tokens_owner', ['owner', 'created_at'])
export class PersonalTokenEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'security_personal_tokens_pkey' }) id!: string;
  @Column('text') owner!: string;
  @Column('text') name!: string;
  /** SHA-256 of the token, which has 256 random bits: nothing to guess, so nothing to slow down. */
  @Index('security_personal_tokens_digest', { unique: true })
  @Column('bytea')
  digest!: Buffer;
  @Column('text', { array: true }) scopes!: Permission[];
  /** Roles of the owner when it was made. */
  @Column('text', { array: true }) roles!: string[];
  @Column('text', { array: true, default: [] }) groups!: string[];
  @Column('timestamptz', { default: () => 'now()' }) created_at!: Date;
  @Column('timestamptz') expires_at!: Date;
  @Column('timestamptz', { nullable: true }) last_used_at!: Date | null;
  @Column('timestamptz', { nullable: true }) revoked_at!: Date | null;
}

/** A one-time ticket for the handshake of a socket. */
@Entity('security_tickets')
export class TicketEntity {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'security_tickets_pkey' }) digest!: Buffer;
  @Column('jsonb') principal!: Record<string, unknown>;
  @Index('security_tickets_expiry')
  @Column('timestamptz')
  expires_at!: Date;
}
