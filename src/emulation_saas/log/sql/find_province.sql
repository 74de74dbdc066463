-- find_province(handle)
-- The registry is the one table that all provinces share: a handle and the province_id it stands for.
SELECT province_id FROM provinces WHERE handle = $1;
