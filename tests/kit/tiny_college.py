"""A college small enough to be played in every test that needs one; nobody's name is anybody's."""

from avow.demo.college import Branch, College

TINY = College(
    (
        Branch("B01", "药学系教工支部", "teaching", 0, 3, 6, work=94, regard=91, punctual=100),
        Branch("B05", "机关第一支部", "management", 1, 3, 5, work=87, regard=83, punctual=98),
        Branch("B06", "机关第二支部", "management", 1, 2, 4, work=78, regard=80, punctual=93),
        Branch("B08", "图书信息支部", "service", 1, 2, 4, work=70, regard=82, punctual=90),
        Branch("B12", "实训药厂支部", "production", 2, 2, 8, work=82, regard=81, punctual=94),
    ),
    representatives=3,
)
MEMBERS = tuple(TINY.names())
