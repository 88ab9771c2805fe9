-- name: tidy
vacuum (analyze)
