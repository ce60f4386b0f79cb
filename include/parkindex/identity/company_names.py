"""Names of companies taken apart: what two printings of one registered name share, and what tells firms apart.

A Chinese company name is place + brand + trade + legal form, in two usual orders: 上海甲乙软件有限公司 and
甲乙(上海)软件有限公司. The comparison rules for names (企业名称相同相近比对规则, 2017, as remembered: assumed) call
two names the same when only the order of these parts differs, and 有限公司 is by the Company Law the short writing of
有限责任公司. So these differences, brackets, widths and blanks are *spelling*; everything else is another name.

All functions work on match keys (``parkindex.text``: NFKC, no blanks, lower case, round brackets).
"""

from __future__ import annotations

import re

import polars as pl

# Places that names begin with or hold in brackets: the country, provinces, and cities with many companies. General
# knowledge, not complete: a place that is missing here costs a suggestion, never a wrong link.
PLACES = (
    *("中国", "上海", "北京", "天津", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建"),
    *("江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "内蒙古"),
    *("广西", "西藏", "宁夏", "新疆", "香港", "澳门", "台湾", "深圳", "广州", "杭州", "南京", "苏州", "无锡", "宁波"),
    *("武汉", "成都", "西安", "厦门", "青岛", "大连", "合肥", "长沙", "郑州", "济南", "福州", "沈阳", "常州", "嘉兴"),
)
# Districts and areas of Shanghai that stand after the city in names (today's and former ones).
DISTRICTS = (
    *(
        "浦东新区",
        "浦东",
        "黄浦",
        "徐汇",
        "长宁",
        "静安",
        "普陀",
        "虹口",
        "杨浦",
        "闵行",
        "宝山",
        "嘉定",
        "金山",
        "松江",
    ),
    *("青浦", "奉贤", "崇明", "闸北", "卢湾", "南汇", "南市", "张江", "临港", "自贸区"),
)
_PLACE = "|".join(PLACES)
_DISTRICT = "|".join(DISTRICTS)
# Branches are registered apart from their company and are nobody else's: these words end their names.
BRANCH_WORDS = ("分公司", "代表处", "办事处", "营业部", "门市部", "经营部", "分店", "分部", "分厂", "分行", "支行")
_BRANCH = re.compile(
    r"^(?P<parent>.+?(?:有限责任公司|股份有限公司|有限公司|公司|合伙企业\([^()]*\)|集团|厂|中心|银行))"
    rf"(?P<branch>.*(?:{'|'.join(BRANCH_WORDS)}))$"
)
# A second name in Latin letters in brackets behind a Chinese one.
_LATIN_TAIL = r"^(.*[一-鿿].*?)\([a-z][a-z0-9 .,&'\-]*\)$"
_FORMS = (
    (r"有限责任公司", "有限公司"),
    (r"股份公司$", "股份有限公司"),
    (r"(?:company|co)[.,]*(?:limited|ltd)\.?$", "ltd"),
    (r"[.,]?(?:limited|ltd)\.?$", "ltd"),
    (r"[.,]?(?:incorporated|inc)\.?$", "inc"),
    (r"[.,]?(?:corporation|corp)\.?$", "corp"),
)
_FORM = r"(?:集团)?(?:股份有限公司|有限公司|合伙企业\([^()]*\)|\(有限合伙\)|\(普通合伙\)|公司|ltd|inc|corp)$"
# Words of trades that say little about who a company is; removed to find the brand. Many companies share each.
_TRADES = (
    *(
        "科技",
        "技术",
        "信息",
        "网络",
        "软件",
        "电子",
        "智能",
        "数据",
        "生物",
        "医药",
        "医疗",
        "新材料",
        "材料",
        "新能源",
    ),
    *("能源", "环境", "环保", "机械", "设备", "器械", "工程", "贸易", "商贸", "实业", "投资", "管理", "咨询", "服务"),
    *(
        "微电子",
        "半导体",
        "集成电路",
        "芯片",
        "机器人",
        "药业",
        "基因",
        "装备",
        "汽车",
        "食品",
        "餐饮",
        "物流",
        "建筑",
        "化工",
    ),
    *("文化", "传媒", "广告", "教育", "金融", "资产", "企业", "发展", "控股", "集团", "国际", "商务", "数字", "系统"),
)
_TRADE_TAIL = rf"(?:{'|'.join(_TRADES)})+$"


def canonical(key: pl.Expr) -> pl.Expr:
    """Return what every spelling of one registered name has in common.

    The order of place and brand, 市 behind a city, the long and the short writing of a legal form, a Latin second name
    in brackets and the writings of Co., Ltd. are made one. Two registered names may share it; then it leads to neither.
    """
    expression = key.str.replace(_LATIN_TAIL, "$1")
    for pattern, short in _FORMS:
        expression = expression.str.replace(pattern, short)
    return (
        expression.str.replace(rf"^({_PLACE})[省市]", "$1")
        .str.replace(rf"^([^()]+)\(({_PLACE})[省市]?\)", "$2$1")
        # 上海甲乙(上海)… names its place twice
        .str.replace(r"^上海上海", "上海")
    )


def core(canonical_key: pl.Expr) -> pl.Expr:
    """Return brand and trade: the canonical name without places in front and the legal form behind.

    A name that consists of nothing else keeps itself.
    """
    stripped = (
        canonical_key.str.replace(rf"^(?:{_PLACE})+(?:(?:{_DISTRICT})区?)?", "")
        .str.replace(_FORM, "")
        .str.replace_all(r"[()]", "")
    )
    return pl.when(stripped == "").then(canonical_key).otherwise(stripped)


def brand(core_key: pl.Expr) -> pl.Expr:
    """Return the core without the common words of trades behind; the core where nothing would be left."""
    stripped = core_key.str.replace(_TRADE_TAIL, "")
    return pl.when(stripped.str.len_chars() < 2).then(core_key).otherwise(stripped)


def parent_of_branch(key: str) -> str | None:
    """Return the key of the company whose branch a name is, as its name says; None when it names no branch."""
    found = _BRANCH.match(key)
    return found["parent"] if found else None
