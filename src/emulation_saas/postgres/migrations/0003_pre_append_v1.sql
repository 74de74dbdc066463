-- The append: moves the head if it still stands where the caller decided, and writes the events that follow it.
--
-- Returns whether the head stood there. One statement, so one round trip and one fsync serve a whole batch. The tags come
-- flattened, one row for each tag of each event; the keys are those of the commands that the batch accepted.

CREATE FUNCTION append_v1(
    p_province uuid,
    p_expected bigint,
    p_clock timestamptz,
    p_recorded_at timestamptz,
    p_frontier bytea,
    p_root bytea,
    p_types text[],
    p_bodies bytea[],
    p_leaf_hashes bytea[],
    p_tag_positions bigint[],
    p_tags text[],
    p_tag_types text[],
    p_actors text[],
    p_keys text[],
    p_fingerprints bytea[],
    p_firsts bigint[],
    p_lasts bigint[]
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_province text := current_setting('emulation.province', true);
BEGIN
    IF coalesce(v_province, '') NOT IN ('', p_province::text) THEN
        RAISE EXCEPTION 'the transaction belongs to another province' USING ERRCODE = 'EM001';
    END IF;
    -- One wrong clock must not drag a log forward.
    IF abs(extract(epoch FROM p_clock - clock_timestamp())) > 2 THEN
        RAISE EXCEPTION 'the committer''s clock is more than 2 s from the database''s' USING ERRCODE = 'EM002';
    END IF;
    PERFORM set_config('emulation.province', p_province::text, true);

    UPDATE log_head
    SET position = p_expected + cardinality(p_types),
        recorded_at = p_recorded_at,
        frontier = p_frontier,
        root = p_root
    WHERE province_id = p_province AND position = p_expected;
    IF NOT FOUND THEN
        RETURN false;
    END IF;

    INSERT INTO events (province_id, position, type, recorded_at, body, leaf_hash)
    SELECT p_province, p_expected + e.place, e.type, p_recorded_at, e.body, e.leaf_hash
    FROM unnest(p_types, p_bodies, p_leaf_hashes) WITH ORDINALITY AS e (type, body, leaf_hash, place);

    INSERT INTO event_tags (province_id, tag, position, type)
    SELECT p_province, t.tag, t.position, t.type
    FROM unnest(p_tag_positions, p_tags, p_tag_types) AS t (position, tag, type);

    INSERT INTO idempotency (province_id, actor, key, fingerprint, first_position, last_position)
    SELECT p_province, k.actor, k.key, k.fingerprint, k.first_position, k.last_position
    FROM unnest(p_actors, p_keys, p_fingerprints, p_firsts, p_lasts)
        AS k (actor, key, fingerprint, first_position, last_position);
    RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION append_v1 TO emulation_app;
