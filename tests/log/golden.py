"""Four events as they stand in a log for ever: their bytes (as UTF-8) and leaf hashes. Never change a line of this."""

from typing import Final

VOTE: Final = (
    '{"actor":"p-daodaodao2","commandid":"3f1c0a52-8d5e-4c0b-9a53-0d8f5f0a7b11","data":{"agency":"thanh-tra-tinh"'
    ',"ballot":"suy-ton-2023","bloc":"tham-muu-1","choices":[{"options":["so-tu-phap"],"question":"dan-dau"}],"ye'
    'ar":2023},"dataschema":"urn:emulation:schema:ballot.vote-cast.v1","id":"5000","recordedtime":"2024-01-30T02:'
    '00:05.123456Z","salt":"AAECAwQFBgcICQoLDA0ODw","sequence":"0000000000000005000","source":"urn:emulation:prov'
    'ince:0190c3f2-0000-7000-8000-000000000001","specversion":"1.0","subject":"blocs/tham-muu-1/years/2023","time'
    '":"2024-01-30T02:00:00Z","type":"ballot.vote-cast.v1"}'
)
"""A plain fact."""
VOTE_LEAF_HASH: Final = "372905b3c87509233b1f80216ae3c4a1df217570fda7edb8310b903a54ebb750"

SCORES: Final = (
    '{"actor":"p-daodaodao2","commandid":"3f1c0a52-8d5e-4c0b-9a53-0d8f5f0a7b11","data":{"agency":"thanh-tra-tinh"'
    ',"bloc":"tham-muu-1","points":[{"criterion":"cai-cach","evidence":[{"held_by":"thanh-tra-tinh","media_type":'
    '"application/pdf","sha256":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","size":4096,"t'
    'itle":"Báo cáo"}],"explanation":"Đạt chỉ tiêu","points":"18.5"}],"year":2023},"dataschema":"urn:emulation:sc'
    'hema:scoring.self-score-submitted.v1","id":"5000","recordedtime":"2024-01-30T02:00:05.123456Z","salt":"AAECA'
    'wQFBgcICQoLDA0ODw","sequence":"0000000000000005000","source":"urn:emulation:province:0190c3f2-0000-7000-8000'
    '-000000000001","specversion":"1.0","subject":"blocs/tham-muu-1/years/2023","time":"2024-01-30T02:00:00Z","ty'
    'pe":"scoring.self-score-submitted.v1"}'
)
"""Decimals, Vietnamese text, lists of structs."""
SCORES_LEAF_HASH: Final = "1924332a03a536373445a09c6a403588cc01ca11766e3d38652b5673b1751446"

PERSON_SEALED: Final = (
    '{"actor":"p-daodaodao2","commandid":"3f1c0a52-8d5e-4c0b-9a53-0d8f5f0a7b11","data":{"issuer":{"$enc":"A256GCM'
    '","c":"WjTYonZCFQrclhPIkC5oBF7VMq36aJqpxeLB8h26Tqx6CBq_e7ns","kid":"_zng3u5eIIWon9ztnog0GiLod5HhIcHZWs2A0Qzt'
    'D1c","n":"XLK15Roc1lYVu1d0"},"name":{"$enc":"A256GCM","c":"Z9orMYkRhqomUzOn8twK48NPIJkGYekm8EFTuNHh5MELRRUo"'
    ',"kid":"_zng3u5eIIWon9ztnog0GiLod5HhIcHZWs2A0QztD1c","n":"SQr85s0lhw8icSUh"},"person":"p-daodaodao2","sub":{'
    '"$enc":"A256GCM","c":"oFE6VXqRu2Ot8xpPnztMuQaeVeBx","kid":"_zng3u5eIIWon9ztnog0GiLod5HhIcHZWs2A0QztD1c","n":'
    '"Xg61U0WvB-WQux8t"}},"dataschema":"urn:emulation:schema:access.person-registered.v1","id":"5000","recordedti'
    'me":"2024-01-30T02:00:05.123456Z","salt":"AAECAwQFBgcICQoLDA0ODw","sequence":"0000000000000005000","source":'
    '"urn:emulation:province:0190c3f2-0000-7000-8000-000000000001","specversion":"1.0","subject":"persons/p-daoda'
    'odao2","time":"2024-01-30T02:00:00Z","type":"access.person-registered.v1"}'
)
"""Personal fields, sealed by the key whose bytes are 0 to 31."""
PERSON_SEALED_LEAF_HASH: Final = "1a3e66f1735f547ef9750ef199e9ee61c0fbac29bdbe444e9fe5f8e0867192ef"

YEAR_OPENED_AT_FIRST: Final = (
    '{"actor":"p-daodaodao2","commandid":"3f1c0a52-8d5e-4c0b-9a53-0d8f5f0a7b11","data":{"bloc":"tham-muu-1","rule'
    's":{"leaders_max":1,"legal_basis":"QĐ 12/2020/QĐ-UBND","self_scores_close_at":"2023-12-15T10:00:00Z","self_v'
    'ote":true},"scheme":{"criteria":[{"criterion":"cai-cach","parent":"nhiem-vu","points_max":"18.5","title":"Cả'
    'i cách"}],"title":"Bảng chấm điểm năm 2023"},"year":2023},"dataschema":"urn:emulation:schema:year.opened.v1"'
    ',"id":"5000","recordedtime":"2024-01-30T02:00:05.123456Z","salt":"AAECAwQFBgcICQoLDA0ODw","sequence":"000000'
    '0000000005000","source":"urn:emulation:province:0190c3f2-0000-7000-8000-000000000001","specversion":"1.0","s'
    'ubject":"blocs/tham-muu-1/years/2023","time":"2024-01-30T02:00:00Z","type":"year.opened.v1"}'
)
"""A type that is no longer written, as the release that wrote it did."""
YEAR_OPENED_AT_FIRST_LEAF_HASH: Final = "c7dbe47546309eb38db0ecb6e790d6ba3f661031667953c3b50bf16fe033d690"
