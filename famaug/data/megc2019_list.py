"""The 442 clips of the MEGC2019 composite, by data set, class and subject.

Facts of the challenge, taken from the lists of clips that public loaders use (HTNet's has all 442;
the official ground truth file lacks samm 032_3_1). Each entry is "subject:clip,clip,...".
SAMM's clips are written without their subject ("006:1_2" is 006_1_2); SMIC's are numbered from 1,
so a count says it all.
"""

from __future__ import annotations

CASME2 = {
    "negative": (
        "sub01:EP19_05f,EP19_06f sub02:EP01_11f,EP02_04f,EP03_02f,EP06_01f,EP06_02f"
        " sub03:EP07_04,EP09_03,EP18_06,EP19_08 sub04:EP12_02f,EP13_06f sub06:EP16_05"
        " sub07:EP01_01,EP06_02_01,EP06_02_02,EP08_02,EP15_01 sub08:EP13_01f sub09:EP06_01f"
        ",EP09_04,EP09_05,EP13_01,EP17_08 sub11:EP08_01f,EP13_02f,EP13_03f,EP13_05f"
        " sub12:EP01_02,EP04_16,EP09_02,EP09_06,EP16_02 sub15:EP08_02 sub16:EP01_08"
        " sub17:EP02_01,EP02_03,EP02_11,EP02_18f,EP03_02,EP05_03f,EP05_04,EP05_09,EP05_10"
        ",EP06_04,EP06_08,EP07_01,EP08_02,EP10_06,EP11_01,EP11_02,EP12_03,EP13_03,EP13_04"
        ",EP13_06,EP15_04,EP16_01f,EP18_07 sub19:EP13_01,EP16_01,EP16_02 sub20:EP01_03"
        ",EP06_03 sub21:EP05_02 sub22:EP01_12,EP13_08 sub23:EP03_14f,EP04_03f,EP05_24f"
        ",EP05_25f,EP12_02f,EP12_03,EP13_04 sub24:EP01_08,EP02_02f sub25:EP09_02,EP10_01"
        ",EP18_04f sub26:EP09_04,EP09_09,EP13_11,EP16_01,EP18_44,EP18_47,EP18_49,EP18_50"
        ",EP18_51"
    ),
    "positive": (
        "sub01:EP02_01f sub02:EP09_01 sub05:EP03_01 sub06:EP01_01 sub09:EP02_01f,EP05_05"
        ",EP06_02f,EP09f,EP15_05 sub12:EP03_04,EP08_07 sub13:EP03_01,EP09_10 sub14:EP09_03"
        ",EP09_04,EP09_06 sub15:EP03_02 sub16:EP01_05,EP04_02f sub17:EP01_06,EP01_15,EP03_09"
        ",EP05_02,EP05_03,EP06_07,EP13_09 sub19:EP01_01f,EP01_02f,EP08_02 sub23:EP02_01"
        " sub26:EP03_10,EP13_02"
    ),
    "surprise": (
        "sub02:EP11_01,EP13_04,EP14_01 sub03:EP01_2 sub05:EP02_07,EP03_06,EP04_05,EP04_06"
        ",EP12_03f sub06:EP02_31,EP15_02 sub12:EP02_05,EP06_06,EP08_01,EP08_03 sub15:EP04_02"
        " sub17:EP01_13 sub19:EP02_01,EP06_01f,EP11_04f,EP19_02,EP19_03 sub24:EP18_03"
        " sub25:EP10_10,EP12_01"
    ),
}

SAMM = {
    "negative": (
        "006:1_2,1_3,1_4,1_5,1_6,2_4,3_4,5_10,5_11 007:3_1 009:2_1,3_2,3_3 010:2_1,2_8,4_1"
        ",4_2 011:1_4,2_1,2_2,2_3,3_1,4_1,4_12,4_13,4_2,5_1,6_1,7_1,7_10 012:3_1,3_2 013:1_10"
        ",1_11,1_12,1_8,1_9,7_7 014:1_1,5_2 015:5_1,5_2 016:7_1,7_3 017:3_1,3_4,6_1 018:3_1"
        ",5_1 020:4_1,7_1 021:7_1,7_2 022:2_3,3_2,4_1 023:1_1 024:2_1 026:1_1,2_1,2_2,2_3,3_3"
        ",3_4,5_1,6_1,7_3 028:4_1 030:1_1,1_2,5_1 031:3_1 032:3_1,3_2,4_2,6_1 033:1_4,1_5,2_1"
        ",2_2 034:3_1,7_2,7_3 035:1_1,4_1,4_2,5_2,5_3,6_3,7_2 036:7_3 037:3_2"
    ),
    "positive": (
        "007:6_1,6_2,6_3,6_5,7_5 011:2_7,3_4,3_5,3_6,6_13,6_5,6_6 014:2_4,3_3,3_4,6_1,6_2,6_3"
        ",7_1 016:7_8 019:4_1 020:4_2,7_10 022:3_3,5_1 033:1_3"
    ),
    "surprise": (
        "006:3_5,5_9 007:5_3,7_1 009:3_4 012:7_1 014:2_3 015:5_3 016:7_2,7_5 017:3_2 018:7_1"
        " 028:4_3,4_4 035:7_1"
    ),
}

SMIC = {
    "negative": ("s01:3 s03:22 s04:10 s05:1 s06:2 s08:9 s11:3 s14:3 s15:1 s18:2 s20:14"),
    "positive": ("s01:2 s02:1 s03:11 s04:4 s08:4 s09:1 s11:3 s12:8 s13:10 s14:2 s15:1 s19:1 s20:3"),
    "surprise": (
        "s01:1 s02:5 s03:6 s04:5 s05:1 s06:2 s09:3 s11:1 s12:1 s14:5 s15:2 s18:5 s19:1 s20:5"
    ),
}

CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}


def composite_clips() -> dict[tuple[str, str, str], str]:
    """(data set, subject, clip) to class, subjects and clips as on disk: "s1", "s1_ne_01"."""
    clips: dict[tuple[str, str, str], str] = {}
    for label in ("negative", "positive", "surprise"):
        for subject, names in _entries(CASME2[label]):
            clips |= {("casme2", subject, clip): label for clip in names.split(",")}
        for subject, names in _entries(SAMM[label]):
            clips |= {("samm", subject, f"{subject}_{clip}"): label for clip in names.split(",")}
        for padded, count in _entries(SMIC[label]):
            subject = f"s{int(padded[1:])}"
            code = f"{subject}_{CODES[label]}"
            clips |= {("smic", subject, f"{code}_{i:02d}"): label for i in range(1, int(count) + 1)}
    return clips


def _entries(text: str) -> list[tuple[str, str]]:
    return [(subject, names) for subject, _, names in (e.partition(":") for e in text.split())]
