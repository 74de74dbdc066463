-- all_provinces()
-- The registry: a handle and its province_id.
SELECT handle, province_id FROM provinces ORDER BY handle;
