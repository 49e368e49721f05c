"""Faces: text and HTML tell the same, nothing from outside becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from jupyter_arkitekt.reprs import (
    ChannelFacts,
    ImageFacts,
    PictureFacts,
    human_bytes,
    human_seconds,
    image_html,
    image_line,
    image_text,
    images_html,
    images_text,
)

PICTURE = PictureFacts(b"\x89PNG...", 256, 256, 3, (256, 256), 48_200, z=15, bar="200 µm")
FACTS = ImageFacts(
    id="12",
    name="Embryo, day 3",
    sizes={"c": 2, "t": 1, "z": 30, "y": 2048, "x": 2048},
    dtype="uint16",
    nbytes=503_316_480,
    pixel_size={"x": 0.65, "y": 0.65, "z": 2.0},
    channels=(
        ChannelFacts("DAPI", (0, 0, 255), "blue", emission_nm=461, excitation_nm=405),
        ChannelFacts("GFP", (0, 255, 0), "green", emission_nm=525),
    ),
    origins=(("7", "raw"),),
    dataset="Screen 4",
    creator="ada",
    created="2026-11-25 22:00",
    tags=("sample",),
    picture=PICTURE,
)
HOSTILE = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "</style></div></table>",
    "a\n\n# b\r\tc\x00\x1b[31m",
    "\u202egnp.exe",
    "x" * 5000,
    "&lt;b&gt;",
    "",
    "{name}{0}%s",
]


class Reader(HTMLParser):
    """Collects what a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def test_one_line_says_what_it_is() -> None:
    assert image_line(FACTS) == "Image 12 'Embryo, day 3', c 2 × t 1 × z 30 × y 2048 × x 2048, uint16, 503 MB"


def test_text_and_html_tell_the_same_facts() -> None:
    text, words = image_text(FACTS), " ".join(read(image_html(FACTS)).words)
    for fact in (
        "Embryo, day 3",
        "c 2 × t 1 × z 30 × y 2048 × x 2048",
        "1.33 mm × 1.33 mm × 60 µm (x × y × z), 650 nm per pixel, 2 µm between planes",
        "uint16, 503 MB",
        "DAPI (405 → 461 nm)",
        "blue",
        "GFP (525 nm)",
        "raw (image 7)",
        "Screen 4",
        "2026-11-25 22:00 by ada",
        "sample",
        "plane 16 of 30",
        "read 48.2 kB of 503 MB, level 3 (256 × 256)",
    ):
        assert fact in text
        assert fact in words
    labels = re.findall(r"^  (\w[\w ]*):", text, re.MULTILINE)
    rows = [tag for tag, attrs in read(image_html(FACTS)).tags if tag == "th"]
    assert len(rows) + 1 == len(labels)  # the picture speaks in its caption


def test_the_picture_has_words_for_those_who_cannot_see_it() -> None:
    [image] = [attrs for tag, attrs in read(image_html(FACTS)).tags if tag == "img"]
    assert image["alt"] == "Image 12, Embryo, day 3; plane 16 of 30; DAPI in blue, GFP in green; scale bar 200 µm"
    assert str(image["src"]).startswith("data:image/png;base64,")


def test_a_missing_picture_says_why_and_unknown_facts_are_left_out() -> None:
    bare = ImageFacts(id="1", name="n", no_picture="the pixels <did> not come")
    assert "none: the pixels <did> not come" in image_text(bare)
    reader = read(image_html(bare))
    assert "No picture: the pixels <did> not come" in " ".join(reader.words)
    assert "size unknown" in image_text(bare)
    assert "None" not in image_text(bare) + image_html(bare)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    facts = replace(
        FACTS,
        name=name,
        id=name or "1",
        channels=(ChannelFacts(name, (1, 2, 3), name), ChannelFacts(name)),
        origins=((name, name),),
        dataset=name,
        creator=name,
        tags=(name,),
        no_picture=name,
    )
    allowed = {"style", "div", "figure", "img", "figcaption", "br", "p", "b", "span", "table", "tbody", "thead", "tr", "th",
               "td", "ul", "li"}  # fmt: skip
    for html in (image_html(facts), image_html(replace(facts, picture=None)), images_html([facts, facts])):
        reader = read(html)
        assert {tag for tag, _ in reader.tags} <= allowed
        assert not any(key.startswith("on") for _, attrs in reader.tags for key in attrs)
        assert "\x00" not in html
        assert "\u202e" not in html
    for text in (image_text(facts), image_line(facts), images_text([facts, facts])):
        assert all(len(line) <= 120 for line in text.split("\n"))
        assert "\x1b" not in text
    assert image_text(facts).count("\n") <= image_text(FACTS).count("\n")


def test_style_stays_inside_the_face_and_there_is_no_address() -> None:
    html = image_html(FACTS) + images_html([FACTS])
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)[0]
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", style) for part in rule.split(",")]
    assert all(selector.startswith(".arkitekt-face") for selector in selectors)
    assert "<script" not in html
    assert "http" not in html
    assert len(image_html(replace(FACTS, picture=None))) < 8_000


def test_lists_are_cut_and_say_so() -> None:
    many = [replace(FACTS, id=str(number), picture=None) for number in range(58)]
    assert images_text(many).splitlines()[0] == "58 images"
    assert images_text(many).splitlines()[-1].strip() == "… and 38 more images"
    assert "… and 38 more images" in images_html(many)
    assert "<img" not in images_html(many)
    assert images_html([FACTS]).count("<img") == 1
    assert images_text([]) == "No images"
    channels = tuple(ChannelFacts(f"channel {index}") for index in range(30))
    assert "… and 22 more channels" in image_html(replace(FACTS, channels=channels))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (48_200, "48.2 kB"), (999_600, "1 MB"), (12e9, "12 GB")],
)
def test_bytes_have_three_digits(count: float, text: str) -> None:
    assert human_bytes(int(count)) == text


def test_durations_have_a_unit_that_fits() -> None:
    assert [human_seconds(value) for value in (0.02, 4.5, 90, 720, 9000)] == [
        "20 ms",
        "4.5 s",
        "90 s",
        "12 min",
        "2.5 h",
    ]
