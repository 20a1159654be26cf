"""Rules as sentences in both languages."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.catalogue import speaking
from capalloc.issues import UnknownName
from capalloc.records import Indicator, Resource, Rule, Source
from capalloc.rulebook import Rulebook

GIVEN = {
    "sources": (
        Source(id="state", side="state", name="ngân sách tỉnh", name_en="the provincial budget"),
        Source(id="oda", side="state"),
    ),
    "indicators": (Indicator(id="jobs", name="việc làm", unit="người"),),
    "resources": (Resource(id="land", name="quỹ đất", unit="ha"),),
}


def says(lang="en", **row):
    """Return the sentence of one rule."""
    row["amount"] = Fraction(row.get("amount", 0))
    row["price"] = None if row.get("price") is None else Fraction(row["price"])
    with speaking(lang):
        return str(Rulebook(tables(project("P", 3), rules=(Rule(id="r", **row),), **GIVEN))["r"])


LONG = {"started": "khởi công trước khi thời kỳ này kết thúc", "at_most": "không được vượt quá"}

FLOOR = {
    "measure": "cost",
    "selection": 'location in ["Sìn Hồ", "Nậm Nhùn"]',
    "period": "A",
    "sense": ">=",
    "amount": "3/10",
    "share_of": "cost; True",
}


def test_a_share_of_another_measure_is_said_with_both_measures():
    """The floor for two districts, as an English and a Vietnamese reader see it."""
    assert says(**FLOOR) == (
        "The cost of projects with location among “Sìn Hồ”, “Nậm Nhùn” in phase A must be at least 30% of the cost of"
        " projects in phase A."
    )
    assert says("vi", **FLOOR) == (
        "Chi phí của các dự án có địa bàn thuộc “Sìn Hồ”, “Nậm Nhùn” trong giai đoạn A phải đạt ít nhất 30% chi phí của"
        " các dự án trong giai đoạn A."
    )


@pytest.mark.parametrize(
    ("measure", "english", "vietnamese"),
    [
        (
            "starts",
            "The number of projects that start in 2021 must be at most 12.",
            "Số dự án khởi công trong năm 2021 không được vượt quá 12.",
        ),
        (
            "paid:state+oda",
            "What the provincial budget + oda pays for projects in 2021 must be at most 12 million VND.",
            "Vốn từ ngân sách tỉnh + oda bố trí cho các dự án trong năm 2021 không được vượt quá 12 triệu đồng.",
        ),
        (
            "tail",
            "What projects that have started by the end of 2021 still cost afterwards must be at most 12 million VND.",
            "Phần vốn chuyển tiếp sau năm 2021 của các dự án {started} {at_most} 12 triệu đồng.",
        ),
        (
            "jobs",
            "What projects completed in 2021 add to việc làm must be at most 12 người.",
            "Đóng góp của các dự án hoàn thành trong năm 2021 cho chỉ tiêu việc làm không được vượt quá 12 người.",
        ),
        (
            "resource:land",
            "The use of quỹ đất by projects in 2021 must be at most 12 ha.",
            "Mức sử dụng quỹ đất của các dự án trong năm 2021 không được vượt quá 12 ha.",
        ),
    ],
)
def test_every_measure_has_its_own_words_and_unit(measure, english, vietnamese):
    """Sources, indicators and resources are called by their names; money is in million VND."""
    row = {"measure": measure, "sense": "<=", "amount": 12, "period": "2021"}
    assert says(**row) == english
    assert says("vi", **row) == vietnamese.format(**LONG)


def test_a_price_the_law_and_the_switch_follow_in_sentences_of_their_own():
    """What a soft rule charges is said for one unit of what it measures."""
    row = {"measure": "active", "sense": "==", "amount": 3, "price": "1/2", "legal_ref": "Điều 51", "enabled": False}
    assert says(**row) == (
        "The number of projects under way in 2021–2024 must be exactly 3. It may be broken: each project by which it is"
        " missed takes 0.5 from the value of the plan. Basis: Điều 51. Switched off."
    )
    assert says("vi", **row) == (
        "Số dự án đang thực hiện trong cả thời kỳ 2021–2024 phải đúng bằng 3. Được phép chênh lệch, nhưng mỗi dự án"
        " chênh so với mức quy định thì giá trị của kế hoạch bị trừ 0,5. Căn cứ: Điều 51. Đang tắt."
    )


@pytest.mark.parametrize(
    ("measure", "english", "vietnamese"),
    [
        ("cost", "million VND", "triệu đồng"),
        ("starts", "project", "dự án"),
        ("jobs", "người", "người"),
        ("land", "ha", "ha"),
        ("value", "unit", "đơn vị"),
    ],
)
def test_a_price_is_that_of_one_unit_of_what_is_measured(measure, english, vietnamese):
    """Money, projects, the own unit of an indicator or a resource, or no unit in particular."""
    row = {"measure": measure, "sense": "<=", "amount": 3, "price": "1/2"}
    assert f"each {english} by which it is missed takes 0.5" in says(**row)
    assert f"mỗi {vietnamese} chênh so với" in says("vi", **row)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (
            'sector == "road" and (priority <= 2 or mandatory)',
            "sector “road” and (class at most 2 or mandatory status)",
        ),
        ("not mandatory", "no mandatory status"),
        ('not (sector == "road")', "not (sector “road”)"),
        ("100 <= cost < 200", "cost at least 100 and cost below 200"),
        ('status != "arrears"', "status other than “in arrears”"),
        ("population > -1.5", "population above -1.5"),
        ('agency not in ["A", "B"]', "agency not among “A”, “B”"),
        ("mandatory == False", "mandatory status no"),
    ],
)
def test_a_selection_is_said_in_words(selection, words):
    """Columns by what they are called, the user's own by their headings; a chain of comparisons piece by piece."""
    assert says(measure="starts", sense="<=", selection=selection) == (
        f"The number of projects with {words} that start in 2021–2024 must be at most 0."
    )


def test_the_rulebook_says_all_rules_and_knows_its_ids():
    """Printed it lists every rule; an id that is not there is answered with the nearest."""
    rules = tuple(Rule(id=name, measure="starts", sense="<=", amount=Fraction(1)) for name in ("first", "second"))
    book = Rulebook(tables(project("P", 3), rules=rules))
    assert list(book) == ["first", "second"]
    assert str(book) == "\n".join(f"{name}: {book[name]}" for name in book)
    with pytest.raises(UnknownName, match="first"):
        book["frist"]


@pytest.mark.parametrize(
    ("selection", "english", "vietnamese"),
    [
        ('sector != ""', "with sector given", "có lĩnh vực đã được ghi"),
        ('sector == ""', "with sector left empty", "có lĩnh vực để trống"),
        ('kind == "programme"', "with kind “programme”", "có loại là “chương trình”"),
        ('kind != "works"', "with kind other than “works”", "có loại khác “dự án”"),
    ],
)
def test_an_empty_cell_and_the_kinds_of_projects_are_said_in_words(selection, english, vietnamese):
    """Nobody reads a pair of empty quotation marks, or an English word of the tables in a Vietnamese sentence."""
    rule = {"measure": "cost", "selection": selection, "sense": "<=", "amount": 3}
    assert f"The cost of projects {english} in " in says(**rule)
    assert f"Chi phí của các dự án {vietnamese} trong " in says("vi", **rule)
