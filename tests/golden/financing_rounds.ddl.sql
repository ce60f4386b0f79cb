create table if not exists raw.financing_rounds_v1 (
    brand_name text not null,
    brand_name_key text,
    enterprise_name text,
    enterprise_name_key text,
    website text,
    founded_month text,
    location text,
    operating_status text,
    industry text,
    sub_industry text,
    round_date date,
    round text,
    amount text,
    amount_amount numeric(24,4),
    amount_currency text,
    investors text,
    total_amount text,
    valuation text,
    team text,
    description text,
    address text,
    phone text,
    email text,
    note text,
    _batch_id bigint not null,
    _source_file text not null,
    _source_row integer not null,
    _known_at timestamptz not null,
    _row_sha256 text not null
);
comment on table raw.financing_rounds_v1 is 'Disclosed financing rounds. One row per company, round date and round.';
comment on column raw.financing_rounds_v1.brand_name is '公司名称';
comment on column raw.financing_rounds_v1.brand_name_key is 'Match key (name) of brand_name.';
comment on column raw.financing_rounds_v1.enterprise_name is '工商名称';
comment on column raw.financing_rounds_v1.enterprise_name_key is 'Match key (name) of enterprise_name.';
comment on column raw.financing_rounds_v1.website is '公司网址';
comment on column raw.financing_rounds_v1.founded_month is '成立时间';
comment on column raw.financing_rounds_v1.location is '地点';
comment on column raw.financing_rounds_v1.operating_status is '运营状态';
comment on column raw.financing_rounds_v1.industry is '行业';
comment on column raw.financing_rounds_v1.sub_industry is '子行业';
comment on column raw.financing_rounds_v1.round_date is '融资时间';
comment on column raw.financing_rounds_v1.round is '轮次';
comment on column raw.financing_rounds_v1.amount is '融资金额: Text as delivered; the parsed amount and ISO currency stand beside it, null unless exact.';
comment on column raw.financing_rounds_v1.amount_amount is 'Exact amount in amount, in currency units.';
comment on column raw.financing_rounds_v1.amount_currency is 'ISO 4217 code of the currency in amount.';
comment on column raw.financing_rounds_v1.investors is '投资方';
comment on column raw.financing_rounds_v1.total_amount is '融资总额';
comment on column raw.financing_rounds_v1.valuation is '估值';
comment on column raw.financing_rounds_v1.team is '团队';
comment on column raw.financing_rounds_v1.description is '公司简介';
comment on column raw.financing_rounds_v1.address is '详细地址';
comment on column raw.financing_rounds_v1.phone is '公开电话';
comment on column raw.financing_rounds_v1.email is '公开邮箱';
comment on column raw.financing_rounds_v1.note is '笔记';
comment on column raw.financing_rounds_v1._batch_id is 'Batch the row came with.';
comment on column raw.financing_rounds_v1._source_file is 'File as delivered (and member of an archive).';
comment on column raw.financing_rounds_v1._source_row is 'Line, sheet row or ordinal in the file, from 1.';
comment on column raw.financing_rounds_v1._known_at is 'When the file was received.';
comment on column raw.financing_rounds_v1._row_sha256 is 'Hash of the row''s cells as delivered, in contract order.';
create index if not exists ix_financing_rounds_v1_batch on raw.financing_rounds_v1 using brin (_batch_id);
