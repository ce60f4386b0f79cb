"""Facts the sample world is built from: parks, industries, words. Nothing here is read from the pipeline's files.

Park names and districts are documented names (assumed for P05, P14, P16); places, sizes and profiles are invented.
The industry sets repeat the methodology's starting set on purpose: the truth must not be computed from the files that
it judges. A test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

STANDARD_2017 = "GB/T 4754-2017"
STANDARD_2011 = "GB/T 4754-2011"

DISTRICT_CODES = {
    "黄浦区": "310101",
    "徐汇区": "310104",
    "长宁区": "310105",
    "静安区": "310106",
    "普陀区": "310107",
    "虹口区": "310109",
    "杨浦区": "310110",
    "闵行区": "310112",
    "宝山区": "310113",
    "嘉定区": "310114",
    "浦东新区": "310115",
    "金山区": "310116",
    "松江区": "310117",
    "青浦区": "310118",
    "奉贤区": "310120",
    "崇明区": "310151",
}


@dataclass(frozen=True)
class Site:
    """A group of parcels of one park: district, centre (degrees, CGCS2000), number of parcels, half a parcel's side."""

    district: str
    longitude: float
    latitude: float
    parcels: int
    half: float


@dataclass(frozen=True)
class Park:
    """A park and its invented profile.

    Attributes:
        code: ``P01`` … ``P22``.
        name: Chinese name.
        sites: Where its parcels lie.
        weight: Share of the zone's enterprises, relative.
        mix: Relative shares of the industry groups IC, BIO, AI, other technology, everything else.
        revenue: Level of revenue per enterprise, relative.
        declared: Declared industries with their types, at most three.
    """

    code: str
    name: str
    sites: tuple[Site, ...]
    weight: float
    mix: tuple[float, float, float, float, float]
    revenue: float
    declared: tuple[tuple[str, str], ...]


_PUDONG = "浦东新区"
PARKS: tuple[Park, ...] = (
    Park(
        "P01",
        "核心园(张江科学城)",
        (Site(_PUDONG, 121.600, 31.200, 6, 0.0044),),
        2.2,
        (24, 22, 22, 18, 14),
        2.3,
        (("集成电路", "主导"), ("生物医药", "主导"), ("人工智能", "主导")),
    ),
    Park(
        "P02",
        "金桥园",
        (Site(_PUDONG, 121.602, 31.262, 4, 0.0042),),
        1.4,
        (8, 6, 20, 18, 48),
        1.9,
        (("汽车", "主导"), ("人工智能", "特色"), ("未来网络", "未来")),
    ),
    Park(
        "P03",
        "自贸保税园",
        (Site(_PUDONG, 121.590, 31.330, 4, 0.0042),),
        1.2,
        (9, 14, 5, 8, 64),
        1.7,
        (("生物医药", "主导"), ("贸易服务", "特色")),
    ),
    Park(
        "P04",
        "陆家嘴园",
        (Site(_PUDONG, 121.503, 31.237, 3, 0.0030),),
        1.0,
        (2, 2, 22, 26, 48),
        1.1,
        (("数字服务", "主导"),),
    ),
    Park(
        "P05",
        "世博园",
        (Site(_PUDONG, 121.487, 31.183, 3, 0.0030),),
        0.7,
        (1, 4, 18, 26, 51),
        0.8,
        (("数字服务", "主导"), ("未来能源", "未来")),
    ),
    Park(
        "P06",
        "临港园",
        (Site("浦东新区", 121.900, 30.880, 5, 0.0046),),
        1.5,
        (26, 10, 14, 14, 36),
        2.0,
        (("集成电路", "主导"), ("高端装备", "主导"), ("人工智能", "特色")),
    ),
    Park(
        "P07",
        "漕河泾园",
        (
            Site("徐汇区", 121.395, 31.168, 3, 0.0036),
            Site("闵行区", 121.510, 31.090, 2, 0.0040),
            Site("松江区", 121.305, 31.075, 2, 0.0040),
        ),
        1.9,
        (16, 12, 26, 22, 24),
        1.6,
        (("人工智能", "主导"), ("集成电路", "主导")),
    ),
    Park(
        "P08",
        "徐汇园",
        (Site("徐汇区", 121.452, 31.150, 3, 0.0030),),
        1.1,
        (4, 14, 34, 26, 22),
        1.3,
        (("人工智能", "主导"), ("生命健康", "主导")),
    ),
    Park(
        "P09",
        "长宁园",
        (Site("长宁区", 121.370, 31.215, 3, 0.0030),),
        0.9,
        (2, 4, 26, 30, 38),
        1.0,
        (("人工智能", "主导"), ("时尚消费", "特色")),
    ),
    Park(
        "P10",
        "静安园",
        (Site("静安区", 121.452, 31.278, 3, 0.0030),),
        0.9,
        (2, 8, 24, 28, 38),
        1.0,
        (("数字服务", "主导"), ("生命健康", "特色")),
    ),
    Park(
        "P11",
        "普陀园",
        (Site("普陀区", 121.380, 31.255, 3, 0.0032),),
        0.9,
        (3, 7, 24, 26, 40),
        0.7,
        (("智能软件", "主导"), ("生物医药", "特色"), ("未来材料", "未来")),
    ),
    Park(
        "P12",
        "虹口园",
        (Site("虹口区", 121.490, 31.278, 2, 0.0030),),
        0.6,
        (1, 2, 16, 28, 53),
        0.6,
        (("数字服务", "主导"),),
    ),
    Park(
        "P13",
        "杨浦园",
        (Site("杨浦区", 121.527, 31.303, 3, 0.0032),),
        1.2,
        (5, 5, 36, 32, 22),
        1.3,
        (("智能软件", "主导"), ("人工智能", "主导")),
    ),
    Park(
        "P14",
        "黄浦园",
        (Site("黄浦区", 121.472, 31.212, 2, 0.0028),),
        0.6,
        (1, 5, 12, 22, 60),
        0.6,
        (("数字服务", "主导"), ("生命健康", "特色")),
    ),
    Park(
        "P15",
        "闵行园",
        (Site("闵行区", 121.400, 31.080, 5, 0.0042),),
        1.4,
        (10, 12, 14, 20, 44),
        1.3,
        (("高端装备", "主导"), ("生物医药", "主导"), ("人工智能", "特色")),
    ),
    Park(
        "P16",
        "宝山园",
        (Site("宝山区", 121.400, 31.380, 4, 0.0042),),
        0.9,
        (3, 14, 10, 18, 55),
        0.8,
        (("生物医药", "主导"), ("先进材料", "特色")),
    ),
    Park(
        "P17",
        "嘉定园",
        (Site("嘉定区", 121.240, 31.360, 5, 0.0044),),
        1.3,
        (14, 6, 16, 16, 48),
        1.5,
        (("汽车", "主导"), ("集成电路", "特色"), ("智能软件", "未来")),
    ),
    Park(
        "P18",
        "金山园",
        (Site("金山区", 121.250, 30.760, 3, 0.0044),),
        0.6,
        (1, 12, 2, 8, 77),
        0.9,
        (("先进材料", "主导"), ("生物医药", "特色")),
    ),
    Park(
        "P19",
        "松江园",
        (Site("松江区", 121.200, 31.030, 4, 0.0044),),
        1.1,
        (10, 7, 14, 16, 53),
        1.1,
        (("高端装备", "主导"), ("集成电路", "特色")),
    ),
    Park(
        "P20",
        "青浦园",
        (Site("青浦区", 121.100, 31.150, 4, 0.0044),),
        0.8,
        (2, 6, 16, 16, 60),
        0.8,
        (("时尚消费", "主导"), ("人工智能", "特色")),
    ),
    Park(
        "P21",
        "奉贤园",
        (Site("奉贤区", 121.500, 30.920, 4, 0.0044),),
        0.9,
        (2, 24, 4, 12, 58),
        0.9,
        (("生物医药", "主导"), ("时尚消费", "特色")),
    ),
    Park(
        "P22",
        "崇明园",
        (Site("崇明区", 121.800, 31.520, 2, 0.0040),),
        0.4,
        (0, 4, 4, 12, 80),
        0.5,
        (("贸易服务", "主导"),),
    ),
)

# Rectangles of the city in which no park has a plot: (district, west, south, east, north), degrees.
OUTSIDE: tuple[tuple[str, float, float, float, float], ...] = (
    ("浦东新区", 121.690, 31.080, 121.760, 31.130),
    ("宝山区", 121.440, 31.420, 121.480, 31.450),
    ("嘉定区", 121.280, 31.290, 121.320, 31.320),
    ("松江区", 121.110, 31.010, 121.150, 31.040),
    ("奉贤区", 121.580, 30.940, 121.640, 30.970),
    ("崇明区", 121.420, 31.620, 121.480, 31.660),
)

IC = ("6520", "3973", "3562", "3972", "3985", "3563")
BIO = (
    *("2710", "2720", "2730", "2740", "2761", "2762", "2770", "2780", "3544", "3581", "3582", "3583", "3584", "3585"),
    *("3586", "3589", "7340", "7512"),
)
AI = ("6511", "6513", "6531", "6550", "6450", "6560", "3491", "3492", "3961", "3962", "3963", "3964", "3969")
_OTHER_TECH = (
    *("6512", "6519", "6532", "6540", "6571", "6572", "6579", "6591", "6599", "6421", "6422", "6429", "6431", "6432"),
    *("6433", "6434", "6439", "6440", "6490", "7310", "7320", "7330", "7511", "7513", "7514", "7515", "7516", "7517"),
    *("7519", "7520", "7530", "7540"),
)
# Everything else that stands in a park: trade, consulting, machines, cars, chemicals, food, clothes, catering.
_ELSE = (
    *("5179", "5199", "5164", "5137", "7211", "7212", "7223", "7231", "7241", "7251", "7299", "5810", "5960", "6210"),
    *("6731", "7452", "7262", "7213", "3976", "4014", "3982"),
    *("3670", "3612", "3484", "3499", "2641", "2659", "2929", "1810", "1921", "3825", "3831", "4710", "7010", "8391"),
)
LEADING = frozenset((*IC, *BIO, *AI))
TECHNOLOGY = frozenset((*IC, *BIO, *AI, *_OTHER_TECH))
# Of the codes of this world those of hard technology and of professional services.
HARD = frozenset(
    (
        *(
            "6520",
            "3973",
            "3562",
            "3972",
            "3985",
            "3563",
            "2710",
            "2720",
            "2730",
            "2740",
            "2761",
            "2762",
            "2770",
            "2780",
        ),
        *(
            "3544",
            "3581",
            "3582",
            "3583",
            "3584",
            "3585",
            "3586",
            "3589",
            "3491",
            "3492",
            "3961",
            "3962",
            "3963",
            "3964",
        ),
        *("3969", "3976", "4014", "3982"),
    )
)
SERVICE = frozenset(
    (
        *("6731", "7212", "7213", "7231", "7241", "7262", "7452", "7512", "7513", "7514", "7515", "7516", "7517"),
        *("7519", "7520", "7530", "7540"),
    )
)
GROUPS: tuple[tuple[str, ...], ...] = (IC, BIO, AI, _OTHER_TECH, _ELSE)
# Codes of the 2011 standard, several of which mean something else in 2017 (6520, 6550, 3963, 7520).
CODES_2011 = ("6510", "6520", "6550", "3963", "7520", "6591", "5179", "7299", "3670", "6420")

# Codes of the industries that parks declare (ours).
DECLARED_CODES: dict[str, tuple[str, ...]] = {
    "集成电路": IC,
    "生物医药": BIO,
    "人工智能": AI,
    "汽车": ("3612", "3670", "3962", "4710"),
    "贸易服务": ("5179", "5199", "5164", "5137", "7231"),
    "数字服务": ("6513", "6531", "6540", "6560", "6429", "6439", "6490", "6519"),
    "智能软件": ("6511", "6512", "6513", "6519", "6531"),
    "高端装备": ("3484", "3491", "3492", "3499", "3825", "3831", "3562", "3563"),
    "先进材料": ("2641", "2659", "2929", "3985"),
    "时尚消费": ("1810", "1921", "5137", "7251"),
    "生命健康": ("7340", "7512", "3581", "3584", "2761", "8391"),
    "未来网络": ("6450", "6532", "6440"),
    "未来能源": ("7515", "7514"),
    "未来材料": ("7513", "3985"),
}

# Rounds of equity by name (assumed, as in the methodology), and round names that are none.
EQUITY_ROUNDS = (
    *("种子轮", "天使轮", "Pre-A轮", "A轮", "A+轮", "B轮", "B+轮", "C轮", "D轮", "E轮", "F轮", "Pre-IPO", "战略投资"),
    "股权融资",
)
EARLY_ROUNDS = frozenset(("种子轮", "天使轮", "Pre-A轮", "A轮"))
# CNY for a unit of a currency in a year (assumed, as in the methodology).
_YEARS_OF_RATES = range(2018, 2027)
_RATES = {
    "USD": ("6.6174", "6.8985", "6.8976", "6.4515", "6.7261", "7.0467", "7.1217", "7.1429", "7.0000"),
    "EUR": ("7.8016", "7.7255", "7.8747", "7.6293", "7.0721", "7.6425", "7.7248", "8.0700", "8.1000"),
    "HKD": ("0.8443", "0.8805", "0.8893", "0.8300", "0.8589", "0.9000", "0.9127", "0.9160", "0.9000"),
}
EXCHANGE_RATES = {
    (currency, year): rate
    for currency, rates in _RATES.items()
    for year, rate in zip(_YEARS_OF_RATES, rates, strict=True)
}
OTHER_ROUNDS = ("IPO上市", "新三板", "债权融资", "并购", "定向增发")

# Parts of invented names. Rare characters on purpose: a brand of three or four of them names nobody.
SYLLABLES = (
    "澜昱檀珑珩蓁翊骁琰泓淏煜璟霁曜晟翀垚钲铄锴镕堃焱"  # 24
    "杼桉棠栩楠榕橦槿沐泠洹浔涵淇渟湑溱滢漪澍濯灏烁烨"  # 48
)
TRADE_WORDS: tuple[tuple[str, ...], ...] = (
    ("微电子", "集成电路", "半导体", "芯片科技", "电子材料"),
    ("生物医药", "医疗器械", "生物科技", "药业", "基因科技"),
    ("智能科技", "机器人", "信息科技", "数据科技", "软件"),
    ("网络科技", "技术服务", "新能源科技", "新材料科技", "数字科技"),
    ("贸易", "企业管理咨询", "机械设备", "实业", "商务服务"),
)
STREETS = ("澜沧河", "祥瑞", "云杉", "松鹤", "明珏", "碧桐", "银杏湾", "丹枫", "望潮", "听涛", "芳汀", "虹霓")
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN = "澜昱檀珩蓁翊琰泓煜璟霁晟"
ENTERPRISE_TYPES = (
    "有限责任公司(自然人投资或控股)",
    "有限责任公司(自然人独资)",
    "其他股份有限公司(非上市)",
    "有限责任公司(外国法人独资)",
    "N/A",
)
UNIVERSITIES = ("澜江大学", "东海理工大学(虚构)", "浦南工业研究院", "昱明医科大学")
PERSONS_AS_APPLICANTS = ("赵澜", "钱昱", "孙檀珩")
# First applicants that lead to no enterprise of the registry.
STRANGERS = (*UNIVERSITIES, *PERSONS_AS_APPLICANTS, "虚澜昱檀科技(未登记)有限公司")
INVESTORS = ("澜石创投", "昱桥资本", "珩山基金", "檀木投资", "璟岳创投")
BANKS = ("澜江银行(虚构)", "东浦融资担保(虚构)")
# Classes by industry group; a publication has one or two of its group's, the first is its main class.
IPC = (
    (
        "H01L   21/67    (2006.01)",
        "H01L   23/48    (2006.01)",
        "G06F   30/39    (2020.01)",
        "H05K    1/02    (2006.01)",
    ),
    (
        "A61K   39/395   (2006.01)",
        "C12N   15/13    (2006.01)",
        "G01N   33/68    (2006.01)",
        "C02F    1/44    (2023.01)",
    ),
    (
        "G06N    3/08    (2006.01)",
        "G06F   18/24    (2023.01)",
        "G06V   10/82    (2022.01)",
        "G06T    7/00    (2017.01)",
    ),
    (
        "H04L   67/10    (2022.01)",
        "G06Q   10/06    (2023.01)",
        "H04W   72/04    (2023.01)",
        "C08L   23/12    (2006.01)",
    ),
    (
        "F16H   57/04    (2010.01)",
        "B60L   53/16    (2019.01)",
        "A47B   47/00    (2006.01)",
        "B65D   85/00    (2006.01)",
    ),
)
# Of these the ones of strategic emerging industries (assumed, as in the methodology).
STRATEGIC = frozenset(("H01L", "A61K", "C12N", "G06N", "G06V", "H04W", "C08L", "B60L"))
TITLES = ("检测方法", "控制系统", "制备工艺", "存储介质", "装置及其应用", "封装结构", "组合物", "数据处理方法")

# Recognition lists: kind, validity in years, whether the list carries USCCs, share of technology enterprises in it.
RECOGNITIONS: tuple[tuple[str, int, bool, float], ...] = (
    ("科技型中小企业", 1, True, 0.22),
    ("高新技术企业", 3, True, 0.06),
    ("专精特新中小企业", 3, False, 0.025),
    ("专精特新小巨人", 3, True, 0.006),
)
# Lists of the few: kind, validity in years, whether the list carries USCCs, how many a good park has a year.
LEADERS: tuple[tuple[str, int, bool, float], ...] = (("链主企业", 3, False, 0.8), ("科技领军企业", 3, True, 1.2))
# Points of the ladder: only an enterprise's highest count (assumed, as in the methodology).
LADDER = {
    "科技型中小企业": 1,
    "高新技术企业": 2,
    "专精特新中小企业": 3,
    "专精特新小巨人": 5,
    "隐形冠军": 8,
    "独角兽": 10,
}


@dataclass(frozen=True)
class Item:
    """A self-reported item as the zone office asks for it, and how its values are invented.

    Attributes:
        code, name, unit: As in the methodology.
        per: What a value grows with: ``enterprise``, ``employee`` (of the park), another item's code, or nothing.
        low, high: Least and greatest value for one of these.
        decimals: Digits behind the point.
        part_of: Item that it must not exceed.
    """

    code: str
    name: str
    unit: str
    per: str
    low: float
    high: float
    decimals: int = 0
    part_of: str = ""


REPORT_ITEMS: tuple[Item, ...] = (
    Item("A7.1", "园区大企业牵头的创新联合体数", "个", "", 0, 4),
    Item("B8.1", "高质量孵化器数", "家", "", 0, 3),
    Item("B8.2", "高质量培育孵化器数", "家", "", 0, 4),
    Item("B8.3", "当年新增在孵企业数", "家", "", 5, 220),
    Item("B9.1", "技术合同成交额", "万元", "employee", 0.2, 9, 2),
    Item("C1.2", "全市“一门式”清单事项数", "项", "", 186, 186),
    Item("C1.1", "可在园区办理的清单事项数", "项", "C1.2", 0.45, 1.02, part_of="C1.2"),
    Item("C2.2", "办结件数", "件", "", 800, 24_000),
    Item("C2.1", "承诺时限内办结件数", "件", "C2.2", 0.82, 1.0, part_of="C2.2"),
    Item("C5.4", "当年承诺供给面积", "万平方米", "", 4, 60, 1),
    Item("C5.1", "当年交付标准地面积", "万平方米", "C5.4", 0.1, 0.4, 2),
    Item("C5.2", "当年交付标准厂房面积", "万平方米", "C5.4", 0.15, 0.45, 2),
    Item("C5.3", "当年交付工业上楼面积", "万平方米", "C5.4", 0.0, 0.4, 2),
    Item("C6.1", "“首创”场景数", "个", "", 0, 9),
    Item("C6.2", "“首发”产品数", "个", "", 0, 14),
    Item("C7.2", "当年发明专利申请数", "件", "enterprise", 0.2, 2.4),
    Item("C7.1", "通过快速预审的发明专利申请数", "件", "C7.2", 0.02, 0.5, part_of="C7.2"),
    Item("C8.1", "留学归国人员数", "人", "employee", 0.002, 0.045),
    Item("D1.1", "对外服务的概念验证平台数", "个", "enterprise", 0, 0.006),
    Item("D1.2", "对外服务的中试平台数", "个", "enterprise", 0, 0.009),
    Item("D1.3", "对外服务的检验检测平台数", "个", "enterprise", 0.001, 0.016),
    Item("D3.1", "高质量孵化器在孵企业数", "家", "", -14, 60),
    Item("D3.2", "高质量孵化器评价均分", "分", "", 76, 98, 1),
    Item("D3.3", "高质量培育孵化器在孵企业数", "家", "", -8, 90),
    Item("D3.4", "高质量培育孵化器评价均分", "分", "", 66, 92, 1),
    Item("D3.5", "其他孵化器在孵企业数", "家", "", 3, 160),
    Item("D3.6", "其他孵化器评价均分", "分", "", 48, 84, 1),
    Item("D4.1", "知识产权证券化规模", "万元", "employee", -0.25, 0.4, 2),
    Item("D4.2", "知识产权保险保额", "万元", "employee", 0.02, 0.5, 2),
    Item("D5.1", "企业博士后科研工作站数", "个", "employee", 0.0, 0.0012),
    Item("D5.2", "工程硕博士在培人数", "人", "employee", 0.0, 0.012),
    Item("D6.1", "专项培训人次", "人次", "employee", 0.03, 1.1),
    Item("D7.2", "载体建筑面积", "万平方米", "", 18, 260, 2),
    Item("D7.1", "专业化运营面积", "万平方米", "D7.2", 0.08, 0.92, 2, part_of="D7.2"),
    Item("D8.1", "跨园区股权合作企业对数", "对", "enterprise", 0, 0.008),
    Item("D8.2", "“研发在甲园、制造在乙园”协作对数", "对", "enterprise", 0, 0.01),
)
# Scores that say nothing when nobody is scored, and the number of those who are.
SCORED_BY = {"D3.2": "D3.1", "D3.4": "D3.3", "D3.6": "D3.5"}
