import pytest
import regex
from hypothesis import given

from datamate.operators.mapper.clean_email_mapper import CleanEmailMapper
from factories.texts import batches, properties


def test_address_goes_when_in_a_sentence(values):
    text = "Write to ann.b@mail.example.org, please."

    assert values("clean_email_mapper", [text]) == ["Write to , please."]


@pytest.mark.parametrize("text", ["", "user@localhost", "@home", "a@B.C", "a @ b.c"])
def test_text_stays_when_it_holds_no_address(values, text):
    assert values("clean_email_mapper", [text]) == [text]


@pytest.mark.parametrize("replacement", ["<EMAIL>", "$1", "${0}", "$$"])
def test_replacement_is_taken_literally_when_it_holds_dollars(values, replacement):
    assert values("clean_email_mapper", ["to a@b.c now"], repl=replacement) == [f"to {replacement} now"]


@properties
@given(batches)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    definition = regex.compile(CleanEmailMapper.default_pattern, regex.DOTALL)

    assert values("clean_email_mapper", texts) == [definition.sub("", text) for text in texts]
