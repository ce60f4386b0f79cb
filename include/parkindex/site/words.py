"""Words of both languages for the codes that stand in released rows.

A code that is not listed is shown as it is, in both languages: nothing on a page is left out for want of a word. The
English of units is spelled without digits, so that a page shows the same numbers in both languages.
"""

from __future__ import annotations

import re

from markupsafe import Markup

Pair = tuple[str, str]

PEER_GROUPS: dict[str, Pair] = {
    "pudong": ("浦东", "Pudong"),
    "central": ("中心城区", "Central districts"),
    "belt": ("近郊与远郊", "Outer districts"),
}
MARKS: dict[str, Pair] = {
    "documented": ("有文件依据", "documented"),
    "assumed": ("本项目假定", "assumed"),
}
STATUSES: dict[str, Pair] = {
    "not_assessed": ("未评定", "not assessed"),
    "normal": ("正常", "in good standing"),
    "notice": ("通报", "on notice"),
    "delisted": ("摘牌", "delisted"),
}
# What a rule proposes or a person decides; to commend is no status of its own.
PROPOSALS: dict[str, Pair] = {
    "normal": ("恢复正常", "back in good standing"),
    "notice": ("通报", "notice"),
    "delisted": ("摘牌", "delisting"),
    "commended": ("表扬", "commendation"),
}
# Other readings of targets that the policy text leaves open (publish/zone.py).
READINGS: dict[str, Pair] = {
    "list_entries": ("一家企业在两张名单上计两次", "an enterprise on both lists counted twice"),
    "leading_revenue": ("产业规模只计三大先导产业营收", "revenue of the three leading industries only"),
    "core_codes": ("只计核心行业代码", "core industry codes only"),
    "high_quality": ("园区填报的高质量孵化器", "high-quality incubators as parks report them"),
    "with_cultivated": ("含高质量培育孵化器（园区填报）", "with those being cultivated, as parks report them"),
    "all_registrations": ("全部新登记企业", "all newly registered enterprises"),
    "recognised": (
        "年内登记且年末在科技型中小企业或高新技术企业名单上",
        "registered in the year and recognised at its end",
    ),
    "main_type": ("只计“主导”类型", "industries declared as leading only"),
}
OBS_STATUSES: dict[str, Pair] = {
    "no_data": ("无数据", "no data"),
    "not_applicable": ("不适用", "not applicable"),
    "not_computed": ("尚未计算", "not yet computed"),
    "not_scored": ("未计分", "not scored"),
    "not_ranked": ("未排名", "not ranked"),
    "pending_review": ("待复核", "pending review"),
}
STATES: dict[str, Pair] = {
    "computed": ("已计算", "computed"),
    "not_computed": ("尚未计算", "not yet computed"),
}
SIDES: dict[str, Pair] = {"numerator": ("分子", "numerator"), "denominator": ("分母", "denominator")}
ROLES: dict[str, Pair] = {
    "evaluator": ("评价负责人", "evaluator"),
    "methodologist": ("方法负责人", "methodologist"),
    "signatory": ("签发人", "signatory"),
}
SEVERITIES: dict[str, Pair] = {"error": ("阻断", "error"), "warning": ("警告", "warning")}
VERDICTS: dict[str, Pair] = {"pass": ("通过", "passed"), "fail": ("未通过", "failed")}
SOURCES_OF_DOUBT: dict[str, Pair] = {
    "weights": ("权重", "weights"),
    "normalisation": ("无量纲化", "normalisation"),
    "aggregation": ("合成", "aggregation"),
    "missing": ("缺值处理", "missing values"),
    "treatment": ("异常值处理", "outlier treatment"),
}
PARTS_OF_CHANGE: dict[str, Pair] = {
    "own": ("本园区数据", "its own data"),
    "others": ("其他园区", "other parks"),
    "methodology": ("方法", "methodology"),
    "sample": ("边界或样本", "boundary or sample"),
    "revisions": ("上年数据修订", "revisions of last year"),
}
FLAGS: dict[str, Pair] = {
    "negative": ("与领域负相关", "against its area"),
    "weak": ("与领域弱相关", "weak in its area"),
}
CONSEQUENCES: dict[str, Pair] = {
    "status": ("状态", "status"),
    "proposal": ("规则的建议", "proposal of the rule"),
    "tier": ("梯队", "tier"),
    "pass": ("是否合格", "passing"),
}
UNITS: dict[str, Pair] = {
    "‰": ("‰", "per mille"),
    "万元/人": ("万元/人", "ten thousand CNY per person"),
    "万元/件": ("万元/件", "ten thousand CNY each"),
    "个": ("个", "count"),
    "个/万人": ("个/万人", "per ten thousand persons"),
    "个/千家": ("个/千家", "per thousand enterprises"),
    "个/日": ("个/日", "per day"),
    "人": ("人", "persons"),
    "人次/万人": ("人次/万人", "visits per ten thousand persons"),
    "亿元": ("亿元", "hundred million CNY"),
    "亿元/km²": ("亿元/km²", "hundred million CNY per km²"),
    "件": ("件", "count"),
    "件/万人": ("件/万人", "per ten thousand persons"),
    "件/千家": ("件/千家", "per thousand enterprises"),
    "分": ("分", "points"),
    "分/千家": ("分/千家", "points per thousand enterprises"),
    "家": ("家", "enterprises"),
    "家/千家": ("家/千家", "per thousand enterprises"),
    "家/日": ("家/日", "enterprises per day"),
}
DOWNLOADS: dict[str, Pair] = {
    "ranking.csv": ("排名，可直接用表格软件打开", "ranking, safe to open in a spreadsheet"),
    "ranking.data.csv": ("排名，全部小数位", "ranking, every decimal"),
    "indicator_scores.csv": ("各园区各指标的数值与得分", "values and scores, park by indicator"),
    "ranking.xlsx": ("排名工作簿，含说明页", "workbook with notes"),
    "ranking.parquet": ("排名，列式格式", "ranking, columnar"),
    "manifest.json": ("每个文件的哈希", "hash of every file"),
    "verify.py": ("离线核验程序，只需 Python", "offline check, needs Python only"),
    "CHANGES.csv": ("与上一次发布的逐格差异", "cell-by-cell changes since the release before"),
}

# Why a value is missing, as the models of park_index say it, to the same in Chinese. The year is carried over.
REASONS: tuple[tuple[str, str], ...] = (
    (r"no plot of the park was valid in (\d{4})", r"\1 年该园区没有有效地块"),
    (r"the park declared no leading industries for (\d{4})", r"该园区未申报 \1 年的主导产业"),
    (
        r"no enterprise in the parks has a GB/T 4754-2017 class at the end of (\d{4})",
        r"\1 年末园区内没有一家企业带有 GB/T 4754-2017 行业代码",
    ),
    (
        r"no enterprise registered in the parks in (\d{4}) has a GB/T 4754-2017 class",
        r"\1 年在园区登记的企业没有一家带有 GB/T 4754-2017 行业代码",
    ),
    (r"no accounts of (\d{4}) for any enterprise in the parks", r"没有收到园区内任何企业 \1 年的财务数据"),
    (r"no R&D expenditure of (\d{4}) for any enterprise in the parks", r"没有收到园区内任何企业 \1 年的研发经费"),
    (r"no insured headcounts of (\d{4}) for any enterprise in the parks", r"没有收到园区内任何企业 \1 年的参保人数"),
    (r"no registry row dated in (\d{4})", r"没有日期在 \1 年的登记记录"),
    (r"no invention grant dated in (\d{4})", r"没有日期在 \1 年的发明专利授权"),
    (r"no financing round dated in (\d{4})", r"没有日期在 \1 年的融资事件"),
    (
        r"no list of unicorns or hidden champions valid by the end of (\d{4})",
        r"没有截至 \1 年末有效的独角兽或隐形冠军名单",
    ),
    (r"no enterprise in the park reported revenue", "园区内没有企业报告营业收入"),
    (r"the plots of the park have no built-up area", "园区地块没有建成面积"),
    (r"no enterprise in the park has insured employees", "园区内没有企业有参保人员"),
    (r"no enterprise is in the park at the end of the year", "年末园区内没有企业"),
    (r"no enterprise was in the park at the end of the year before", "上年末园区内没有企业"),
    (r"no enterprise was registered in the park three years before", "三年前没有企业在园区登记"),
)


def reason(text: str) -> str | None:
    """Return in Chinese why a value is missing; None when the text is not one of the models' own."""
    for pattern, chinese in REASONS:
        if found := re.fullmatch(pattern, text):
            return found.expand(chinese)
    return None


def both(zh: object, en: object, *values: object) -> Markup:
    """Return a text in both languages; the page shows one of them.

    Args:
        zh: Chinese; escaped unless it is markup.
        en: English.
        values: Take the places of ``{}`` in both texts, so that both say the same numbers.
    """
    texts = [Markup.escape(text) for text in (zh, en)]
    if values:
        texts = [text.format(*values) for text in texts]
    return Markup('<span class="zh" lang="zh-CN">{}</span><span class="en" lang="en">{}</span>').format(*texts)


def name(zh: object, en: object) -> Markup:
    """Return a proper name in both languages (names may hold digits that differ between them)."""
    return Markup('<span class="zh name" lang="zh-CN">{}</span><span class="en name" lang="en">{}</span>').format(
        zh, en
    )


def word(table: dict[str, Pair], code: str | None) -> Markup:
    """Return the word for a code in both languages; a code without a word as it is."""
    if code is None:
        return Markup("")
    return both(*table[code]) if code in table else Markup("<code>{}</code>").format(code)


def unit(code: str) -> Markup:
    """Return a unit in both languages; one without a word (``%``) as it is."""
    return both(*UNITS[code]) if code in UNITS else Markup.escape(code)
