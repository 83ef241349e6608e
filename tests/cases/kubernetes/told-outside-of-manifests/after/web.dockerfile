ARG IMAGE=node:22
ARG BASE=node:22
ARG QUOTED="node:22"
ARG TAG=22
FROM ${IMAGE} AS one
FROM node:${TAG} AS two
FROM node:22
COPY --from=node:22 /bin /bin
# FROM node:22
