#include "core/base/terminal_text.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("what a peer sends cannot act on the terminal") {
  CHECK(terminal_safe("plain ä 日本 🙂") == "plain ä 日本 🙂");
  CHECK(terminal_safe("\x1b[31mred\r\n\x07") == "\\x1b[31mred\\x0d\\x0a\\x07");
  CHECK(terminal_safe("\x7f") == "\\x7f");
  CHECK(terminal_safe("\xc2\x9b"
                      "31m") == "\\u{9b}31m"); // C1: another way to write ESC [
  CHECK(terminal_safe("a\xe2\x80\xae"
                      "b") == "a\\u{202e}b");                // right-to-left override
  CHECK(terminal_safe("\xff\xc0\xaf") == "\\xff\\xc0\\xaf"); // no UTF-8, overlong
  CHECK(terminal_safe("\xed\xa0\x80") == "\\xed\\xa0\\x80"); // surrogate
  CHECK(terminal_safe("\xf0\x9f") == "\\xf0\\x9f");          // cut off
  CHECK(terminal_safe(std::string_view{"\0", 1}) == "\\x00");
}

TEST_CASE("width counts columns, clipping keeps whole characters") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("äöü") == 3);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\xcc\x81") == 1); // combining acute
  CHECK(clipped("abcdef", 6) == "abcdef");
  CHECK(clipped("abcdef", 4) == "abc…");
  CHECK(clipped("日本語", 4) == "日…");
  CHECK(clipped("abc", 0).empty());
  CHECK(padded("ä", 3, false) == "ä  ");
  CHECK(padded("7", 3, true) == "  7");
  CHECK(padded("long", 2, true) == "long");
}
