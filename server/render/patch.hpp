// THREAD: any - a session as a template: what the command line puts into it
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::render {

/// Files that a person named on the command line: taken as they are, no media root confines them.
struct GivenFiles {
  std::map<std::string, std::filesystem::path> media;  // by the text that a file parameter names them with
  std::optional<std::filesystem::path> device_input;   // what the device's inputs bring
};

/// "NODE.PARAM=VALUE": VALUE as JSON (-6, true, "text"), or as bare text where the parameter takes text. Checked by the
/// parameter's descriptor; the error's field is "NODE.PARAM". Nothing is changed on an error.
[[nodiscard]] Result<> set_param(session::Document& document, std::string_view text);

/// "NAME=FILE": wherever a parameter names the media NAME, FILE is meant. NOT_FOUND with the names that there are.
[[nodiscard]] Result<> give_media(const session::Document& document, std::string_view text, GivenFiles& files);

/// "NODE=FILE": the player NODE plays FILE; "in=FILE": the device's inputs bring FILE.
[[nodiscard]] Result<> give_input(session::Document& document, std::string_view text, GivenFiles& files);

}  // namespace continuo::render
