-- A registry row is one enterprise, into however many classes of 2017 its code of 2011 went.
select
    enterprise_id_uscc,
    valid_from
from {{ ref('enterprise_industries') }}
group by enterprise_id_uscc, valid_from
having abs(sum(class_share) - 1) > 0.0001
