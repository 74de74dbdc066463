-- types_between(province_id, first, last)
-- Which types of events there are in a span.
SELECT DISTINCT type FROM events WHERE province_id = $1 AND position >= $2 AND position <= $3;
