// THREAD: main - what the command line of continuo-render says
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/render/compare.hpp"
#include "server/render/offline_renderer.hpp"

namespace continuo::render {

enum class Task { render, check, compare, measure, said };  // said: help or version, already printed

struct Arguments {
  Task task = Task::render;
  std::string session;
  std::vector<std::string> sets;    // NODE.PARAM=VALUE, in order
  std::vector<std::string> media;   // NAME=FILE
  std::vector<std::string> inputs;  // NODE=FILE
  RenderOptions options;            // but for what the session's own text decides
  bool verify = false;
  bool progress = false;
  bool progress_json = false;
  bool json = false;
  std::string a;  // compare
  std::string b;
  Offset offset;
  std::vector<std::string> files;  // measure
  MeasureOptions measure;
};

/// The error's exit code is EX_USAGE. `json` is set as far as it was understood.
[[nodiscard]] Result<> parse_arguments(int argc, char** argv, Arguments& arguments);

}  // namespace continuo::render
