"""The catalogue of checks: every rule id that a file or a row can break, in words.

A rule id never changes its meaning; what people can do about each stands in ``docs/checks.md``, which a test keeps
complete.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One rule.

    Attributes:
        id: Stable id.
        scope: ``file`` (the file is refused whole) or ``row`` (the row is set aside).
        zh: The rule in Chinese.
        en: The rule in English.
    """

    id: str
    scope: str
    zh: str
    en: str

    @property
    def message(self) -> str:
        """The rule in both languages, as it stands beside a reject."""
        return f"{self.zh} / {self.en}"


_FILE = {
    "file.archive": ("压缩包损坏或不可信", "the archive is damaged or not to be trusted"),
    "file.budget": ("解压后超出限额", "the archive exceeds its budget of entries, bytes or ratio"),
    "file.code_unknown": ("出现代码表之外的代码", "a code is not in the code list"),
    "file.column_missing": ("缺少必填列", "a required column is missing"),
    "file.column_repeated": ("同一列出现两次", "a column stands twice"),
    "file.column_unknown": ("出现合约中没有的列", "a column is not in the contract"),
    "file.correction_stale": ("更正条目已失效", "a correction no longer finds its error"),
    "file.datum": ("坐标基准与合约不符", "the coordinate datum is not the contract's"),
    "file.delivery": ("文件名不符合任何交付形式", "the file name fits no delivery form of the contract"),
    "file.empty": ("文件没有数据行", "the file holds no record"),
    "file.encoding": ("编码与合约声明不符", "the bytes are not in the declared encoding"),
    "file.format": ("文件不是声明的格式", "the file is not of the declared format"),
    "file.line_ends": ("行结束符不受支持", "the lines end in CR alone"),
    "file.header_merged": ("表头含合并单元格", "cells of the header are merged"),
    "file.row_count": ("记录数与文件声明不符", "the file does not hold the number of records it states"),
    "file.rows_lost": ("读出的行数少于文件中的行", "fewer rows were read than the sheet holds"),
    "file.unit": ("表头单位无法换算为合约单位", "the unit in the header is not one that can become the contract's"),
    "file.reject_limit": ("退回行数超过合约限额", "more rows are set aside than the contract allows"),
    "file.return": ("退回更正文件不可用", "a returned file does not answer open rejects"),
    "file.sentinel": ("表头缺少编码哨兵词,编码可疑", "no sentinel text in the header: the encoding is doubtful"),
    "file.sheet_missing": ("缺少工作表", "a sheet is missing or not to be told apart"),
    "file.shrunk": ("全量交付大幅减少,疑似截断", "a full delivery shrank: possible truncation"),
    "file.truncated": ("文件不完整", "the file ends before it should"),
    "file.type_drift": ("列的类型改变", "a value is not of its column's type"),
    "file.unit_shift": ("数值整体偏移若干数量级,疑似单位改变", "values shifted by powers of ten: another unit?"),
    "file.xml_forbidden": ("XML 含内部 DTD 或实体", "the XML declares or uses entities"),
}
_ROW = {
    "cell.number_as_identifier": ("标识码以数字格式存储,位数已失真", "an identifier is stored as a number"),
    "cell.error": ("单元格是错误值", "the cell holds a spreadsheet error"),
    "cell.formula_without_value": ("公式没有缓存结果", "the formula has no stored value"),
    "cell.merged": ("单元格被合并", "the cell is covered by a merged one"),
    "cell.number_as_date": ("日期以序号存储", "a date is stored as a bare number"),
    "column.unknown": ("合约中没有的列有值", "a column that is not in the contract has a value"),
    "compare.at_least": ("小于相关列", "less than the column it may not fall below"),
    "compare.at_most": ("大于相关列", "more than the column it may not exceed"),
    "date.future": ("日期晚于收到之日", "later than the day on which the file came"),
    "date.too_early": ("日期早于 1900 年", "before the year 1900"),
    "correction.dropped": ("按更正条目剔除", "dropped by a correction"),
    "document.unreadable": ("文档无法解析", "the document cannot be read"),
    "geojson.polygon": ("不是有效的面", "no valid Polygon or MultiPolygon in degrees"),
    "key.contradicted": ("同一文件中同一主键内容不一致", "rows of one key in one file contradict each other"),
    "money.currency_date": ("该日期不存在此币种", "the currency did not exist on that day"),
    "money.unparsed": ("金额无法精确解析", "the amount is not exact or its currency not known"),
    "number.precision": ("数字超出列宽", "the number has too many digits for its column"),
    "number.scale": ("小数位数超出合约", "the number has more decimals than the contract keeps"),
    "patent.check_digit": ("申请号校验位错误", "the check digit of the application number is wrong"),
    "patent.number_shape": ("不是中国专利申请号", "no form of a Chinese application number"),
    "row.ragged": ("单元格数与表头不一致", "the row has more or fewer cells than the header"),
    "text.damaged": ("含控制字符或替换字符", "the text holds control or replacement characters"),
    "text.mojibake": ("乱码:以错误编码读取后保存", "text that was read in a wrong encoding and saved"),
    "text.too_long": ("单元格超过一百万字", "the cell is longer than a million characters"),
    "type.date": ("不是合约格式的日期", "no date in the contract's format"),
    "type.integer": ("不是整数", "no whole number"),
    "type.number": ("不是十进制数", "no decimal number"),
    "uscc.check_digit": ("统一社会信用代码校验位错误", "the check digit of the USCC is wrong (GB 32100-2015)"),
    "uscc.old_number_check_digit": ("15 位旧注册号校验位错误", "the check digit of the 15-digit number is wrong"),
    "uscc.old_registration_number": ("是 15 位旧注册号,不是信用代码", "an old 15-digit registration number, no USCC"),
    "uscc.shape": ("不是 18 位统一社会信用代码", "no 18-character USCC (GB 32100-2015)"),
    "value.enum": ("不在代码表中", "not in the code list"),
    "value.length": ("长度超出范围", "shorter or longer than allowed"),
    "value.pattern": ("不符合格式", "does not match the pattern"),
    "value.range": ("超出取值范围", "outside the range"),
    "value.required": ("必填项为空", "a required value is missing"),
}

CHECKS: dict[str, Check] = {
    **{rule: Check(rule, "file", zh, en) for rule, (zh, en) in _FILE.items()},
    **{rule: Check(rule, "row", zh, en) for rule, (zh, en) in _ROW.items()},
}
