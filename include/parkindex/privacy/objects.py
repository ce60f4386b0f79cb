"""Functions of the warehouse through which roles come at what is not shown to all; each access is logged."""

from __future__ import annotations

# Two services that start together would replace one function at once, which Postgres refuses. Held to the commit.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(7203150008)"

# Who logged in decides. A sample world has nobody's confidence to keep: with nothing else delivered, all see all.
_SEES_CONFIDENTIAL = """
create or replace function privacy.sees_confidential() returns boolean language sql stable
security definer set search_path = pg_catalog, pg_temp as $$
    select privacy.is_member('parkindex_confidential') or not exists (
        select from raw.batches
        where batches.status = 'loaded' and batches.replays_batch_id is null and batches.is_synthetic is not true
    )
$$
"""

# The park of whoever logged in; the table itself is nobody's to read.
_OWN_PARK = """
create or replace function privacy.own_park() returns text language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select park_code from privacy.park_officers where login = session_user
$$
"""

# The rows of providers' files behind a value of a release: evaluators may look at every park's, officers at their own.
# Names and codes of enterprises are in them, so nothing is given out unlogged. Asking writes the log; reading wants an
# entry that an earlier transaction of the same login has committed, so that no rollback can take the entry back.
_ASK_RECORDS = """
create or replace function privacy.ask_records(of_release text, of_park text, of_indicator text, purpose text)
returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    place text;
    counted bigint;
    given bigint;
begin
    if not (
        privacy.is_member('parkindex_evaluator')
        or (privacy.is_member('parkindex_park_officer') and of_park = privacy.own_park())
    ) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = session_user || ' may not look into the records of park ' || coalesce(of_park, '(none)'),
            hint = 'Officers see the records of the park they are registered for.';
    end if;
    if btrim(coalesce(purpose, '')) = '' then
        raise exception using errcode = 'invalid_parameter_value', message = 'say what the records are read for';
    end if;
    place := privacy.records_of(of_release);
    execute 'select count(*) from ' || place || ' where park_code = $1 and indicator_code = $2'
        into counted using of_park, of_indicator;
    insert into privacy.access_log (login, what, subject, purpose, rows_read, transaction_number)
    values (
        session_user, 'records', of_release || ' ' || of_park || ' ' || of_indicator, btrim(purpose), counted,
        pg_current_xact_id()::text::bigint
    ) returning access_id into given;
    return given;
end $$
"""

_READ_RECORDS = """
create or replace function privacy.read_records(of_access bigint) returns table (
    side text, enterprise_id_uscc text, subject text, amount numeric,
    source_feed text, source_file text, source_row integer
) language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    asked text[];
begin
    select string_to_array(access_log.subject, ' ') into asked
    from privacy.access_log
    where access_log.access_id = of_access and access_log.what = 'records' and access_log.login = session_user
        and access_log.transaction_number <> pg_current_xact_id()::text::bigint
        and access_log.at > now() - interval '10 minutes';
    if asked is null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = 'there is no entry ' || coalesce(of_access::text, '(none)') || ' of the access log to read by',
            hint = 'Call privacy.ask_records, commit, and read within ten minutes.';
    end if;
    return query execute
        'select side::text, enterprise_id_uscc::text, subject::text, amount::numeric, source_feed::text,'
        ' source_file::text, source_row::integer from ' || privacy.records_of(asked[1])
        || ' where park_code = $1 and indicator_code = $2'
        ' order by side collate "C" desc, abs(amount) desc nulls last, source_feed collate "C",'
        ' source_file collate "C", source_row' using asked[2], asked[3];
end $$
"""

_RECORDS_OF = """
create or replace function privacy.records_of(of_release text) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
    place constant text := (
        select quote_ident(candidates.schema_prefix || 'park_index') || '.contributions'
        from publish.releases inner join publish.candidates on releases.candidate_id = candidates.candidate_id
        where releases.release_id = of_release
    );
begin
    if place is null or to_regclass(place) is null then
        raise exception using
            errcode = 'no_data_found', message = 'no records are kept of release ' || coalesce(of_release, '(none)');
    end if;
    return place;
end $$
"""

_IS_MEMBER = """
create or replace function privacy.is_member(of_role text) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pg_catalog.pg_roles
        where rolname = of_role and pg_catalog.pg_has_role(session_user, oid, 'member')
    )
$$
"""

# Postgres lets everybody call a new function; here only who is named in the matrix may.
_NOBODY_ELSE = """
do $privacy$
declare signature text;
begin
    for signature in
        select functions.oid::regprocedure::text from pg_proc as functions
        where functions.pronamespace = 'privacy'::regnamespace
            and (functions.proacl is null or exists (
                select from aclexplode(functions.proacl) as given where given.grantee = 0
            ))
    loop
        execute 'revoke all on function ' || signature || ' from public';
    end loop;
end $privacy$
"""


def statements() -> list[str]:
    """Return DDL that can run again at any time."""
    return [
        _ONE_AT_A_TIME,
        _IS_MEMBER,
        _SEES_CONFIDENTIAL,
        _OWN_PARK,
        _RECORDS_OF,
        _ASK_RECORDS,
        _READ_RECORDS,
        _NOBODY_ELSE,
    ]
