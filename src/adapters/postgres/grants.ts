import pg from 'pg';

const { escapeLiteral } = pg;

/** What may only grow; also by the rights of the application's role. */
const TRAIL = ['audit_rows', 'audit_links', 'audit_heads', 'audit_checkpoints', 'adapter_deployments'];

/**
 * One statement, run by the owner after the migrations, that leaves `role` with the rights that the application needs and
 * no others. Only what the owner owns is touched: an outside database may hold tables of others.
 */
export function grantsTo(role: string): string {
  const trail = TRAIL.map((name) => escapeLiteral(name)).join(', ');
  return `
DO $grants$
DECLARE
  grantee CONSTANT text := ${escapeLiteral(role)};
  target record;
BEGIN
  FOR target IN
    SELECT c.oid::regclass AS name, CASE
        WHEN c.relname IN (${trail}) THEN 'SELECT, INSERT'
        WHEN c.relname = 'clara_migrations' THEN 'SELECT'
        ELSE 'SELECT, INSERT, UPDATE, DELETE' END AS rights
      FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND c.relowner = current_user::regrole
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', target.name, grantee);
    EXECUTE format('GRANT %s ON %s TO %I', target.rights, target.name, grantee);
  END LOOP;
  FOR target IN
    SELECT c.oid::regclass AS name FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S' AND c.relowner = current_user::regrole
  LOOP
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', target.name, grantee);
  END LOOP;
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_expire(jsonb), store_open_space(text, integer), store_drop_space(text) TO %I',
    grantee);
END $grants$`;
}
